/**
 * `sallyport server`: from its options to a running server.
 *
 * @module
 */

import type { Command } from "commander";
import { daemonCommand, printLine, readOptions } from "../app/command.ts";
import { setUpLogging } from "../app/logging.ts";
import { describeOptions } from "../app/options.ts";
import { runDaemon } from "../app/run.ts";
import { describeServer, SERVER_OPTIONS, serverConfig } from "./config.ts";
import type { ServerEvent } from "./events.ts";
import { serve } from "./server.ts";

const DESCRIPTION = "Runs on the public host: devices dial in, and clients reach their services through host ports.";

/** The command, under `name`. */
export function serverCommand(name: string): Command {
  return daemonCommand(name, DESCRIPTION, SERVER_OPTIONS, examples(name)).action((_options, command: Command) =>
    run(command)
  );
}

async function run(command: Command): Promise<void> {
  const { values, file, check } = readOptions(SERVER_OPTIONS, command);
  const config = serverConfig(values, file);
  const json = values["log-format"] === "json";
  if (check) {
    for (const line of [...describeServer(config), ...describeOptions(SERVER_OPTIONS, values)]) printLine(line);
    return;
  }
  const logger = setUpLogging("server", values["log-format"] ?? "auto", values["log-level"] ?? "info");
  const server = serve({ ...config, logger });
  server.subscribe((event) => announce(event, json));
  await runDaemon(server, (signal) => logger.info("{signal}: shutting down; a second one ends at once", { signal }));
}

/** The addresses really bound, on stdout, a stable line each: what a script waits for. */
function announce(event: ServerEvent, json: boolean): void {
  if (event.type !== "listening" && event.type !== "host-open") return;
  if (json) printLine(JSON.stringify(event));
  else if (event.type === "listening") printLine(`listening ${event.address} profile=${event.profile}`);
  else printLine(`open ${event.hostAddress} -> ${event.localAddress}`);
}

function examples(name: string): string {
  return `Examples:
  Let clients reach the ssh of a device at port 2201 of this host. On the device:
    sallyport-device --profile v1 --server THIS_HOST:2065 --service 127.0.0.1:22
  and from anywhere, ssh -p 2201 user@THIS_HOST:
    ${name} --profile v1 --listen 0.0.0.0:2065 --forward 0.0.0.0:2201=127.0.0.1:22

  Two services, one of them on a machine behind the device, for clients on this host only:
    ${name} --profile v1 --listen 0.0.0.0:2065 --forward 127.0.0.1:2201=127.0.0.1:22 \\
      --forward [::1]:2323=10.0.0.5:23

  Several devices, each with a listener of its own ([[listen]] in the file: address, profile, forward):
    ${name} --config /etc/sallyport/server.toml --check

v1 knows no authentication and no encryption: whoever reaches --listen can be the device. Bind it to a network
that you trust, or to 127.0.0.1 behind a tunnel.`;
}
