/**
 * `sallyport device`: from its options to a running device.
 *
 * @module
 */

import type { Command } from "commander";
import { daemonCommand, printLine, readOptions } from "../app/command.ts";
import { setUpLogging } from "../app/logging.ts";
import { describeOptions } from "../app/options.ts";
import { runDaemon } from "../app/run.ts";
import { describeDevice, DEVICE_OPTIONS, deviceConfig } from "./config.ts";
import { connectDevice } from "./device.ts";
import type { DeviceEvent } from "./events.ts";

const DESCRIPTION = "Runs on the gateway: dials out to the server, keeps one link, and dials services for its clients.";

/** The command, under `name`. */
export function deviceCommand(name: string): Command {
  return daemonCommand(name, DESCRIPTION, DEVICE_OPTIONS, examples(name)).action((_options, command: Command) =>
    run(command)
  );
}

async function run(command: Command): Promise<void> {
  const { values, file, check } = readOptions(DEVICE_OPTIONS, command);
  const config = deviceConfig(values, file);
  const json = values["log-format"] === "json";
  if (check) {
    for (const line of [...describeDevice(config), ...describeOptions(DEVICE_OPTIONS, values)]) printLine(line);
    return;
  }
  const logger = setUpLogging("device", values["log-format"] ?? "auto", values["log-level"] ?? "info");
  const device = connectDevice({ ...config, logger });
  device.subscribe((event) => announce(event, json));
  const daemon = { ready: Promise.resolve(), closed: device.closed, shutdown: () => device.shutdown() };
  await runDaemon(daemon, (signal) => logger.info("{signal}: shutting down; a second one ends at once", { signal }));
}

/** The link's coming and going, on stdout, a stable line each: what a script waits for. */
function announce(event: DeviceEvent, json: boolean): void {
  if (event.type !== "online" && event.type !== "lost") return;
  if (json) printLine(JSON.stringify(event));
  else if (event.type === "online") printLine(`online ${event.server}`);
  else printLine(`lost ${event.server} ${event.reason}`);
}

function examples(name: string): string {
  return `Examples:
  Offer this machine's ssh through the server at relay.example. There:
    sallyport-server --profile v1 --listen 0.0.0.0:2065 --forward 0.0.0.0:2201=127.0.0.1:22
  and from anywhere, ssh -p 2201 user@relay.example:
    ${name} --profile v1 --server relay.example --service 127.0.0.1:22

  Allow every port of a network behind this gateway, and one name:
    ${name} --profile v1 --server relay.example:2065 --service '10.0.0.0/24:*' --service printer.lan:9100

  From a file with the same words (server, profile, service, ...):
    ${name} --config /etc/sallyport/device.toml --check

The device dials only what --service names, compared as it is written: 127.0.0.1:22 and localhost:22 are two.`;
}
