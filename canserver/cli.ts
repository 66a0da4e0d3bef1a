/**
 * `sallyport canserver`: a CAN bus at a port of this machine, without a relay.
 *
 * @module
 */

import type { Command } from "commander";
import { daemonCommand, printLine, readOptions } from "../app/command.ts";
import { strangeVariables } from "../app/environment.ts";
import { MachineError } from "../app/files/machine_error.ts";
import { setUpLogging } from "../app/logging.ts";
import { describeOptions } from "../app/options.ts";
import { runDaemon } from "../app/run.ts";
import type { Logger } from "../base/logger.ts";
import { describeError } from "../base/errors.ts";
import { BusError } from "../can/bus/bus.ts";
import { whyNoCan } from "../can/bus/socketcan.ts";
import { chooseEngine, describeEngine } from "../net/engines.ts";
import { type CanServer, serveCan } from "../can/server/serve.ts";
import { CAN_OPTIONS, type CanConfig, canConfig, describeCan } from "./config.ts";

const DESCRIPTION = "Shares a CAN bus of this machine with clients over TCP: python-can, socketcand's, cannelloni.";

/** The command, under `name`. */
export function canserverCommand(name: string): Command {
  return daemonCommand(name, DESCRIPTION, CAN_OPTIONS, examples(name)).action((_options, command: Command) =>
    run(command)
  );
}

async function run(command: Command): Promise<void> {
  const { values, check } = readOptions(CAN_OPTIONS, command);
  const config = canConfig(values);
  if (check) {
    const without = ["channel", "host", "port", "engine"] as const; // stand in the lines before
    const engine = `engine ${describeEngine(chooseEngine(config.engine))}`;
    for (const line of [...describeCan(config), engine, ...describeOptions(CAN_OPTIONS, values, without)]) {
      printLine(line);
    }
    demandKernel(config);
    return;
  }
  demandKernel(config); // before anybody can connect
  const json = values["log-format"] === "json";
  const logger = setUpLogging("canserver", values["log-format"] ?? "auto", values["log-level"] ?? "info");
  const server = serveCan({ ...config, logger }); // first, so that a port that is in use is all that is said
  for (const warning of strangeVariables(Object.keys(CAN_OPTIONS))) logger.warn("{warning}", { warning });
  const { address } = server;
  printLine(json ? JSON.stringify({ type: "listening", address }) : `listening ${address}`);
  const daemon = {
    ready: probe(server, config, logger),
    closed: server.closed,
    shutdown: () => server.shutdown(),
    reload: () => logger.info("SIGHUP: going on; what was changed holds from the next start on"),
    status: () => `clients: ${server.clients.length}`,
  };
  try {
    await runDaemon(daemon, logger, (signal) => {
      logger.info("{signal}: shutting down; a second one ends at once", { signal });
    });
  } finally {
    server.close();
  }
}

/** @throws {MachineError} if the bus is the kernel's, and that has no CAN: trying again does not mend it. */
function demandKernel({ bus: { place } }: CanConfig): void {
  const why = place.kind === "socketcan" ? whyNoCan(place.channel) : undefined;
  if (why !== undefined) throw new MachineError(why);
}

/** What is wrong now may be right when a client comes: an interface that is down, an adapter that is not plugged in. */
async function probe(server: CanServer, { bus }: CanConfig, logger: Logger): Promise<void> {
  if (!bus.listenOnly) {
    logger.info("whoever reaches {address} can send on {bus}; --listen-only bars that", {
      address: server.address,
      bus: bus.place.channel,
    });
  }
  try {
    await server.probe();
  } catch (error) {
    if (error instanceof BusError && error.isLacking) throw new MachineError(error.message, { cause: error });
    logger.warn("{error}; clients are refused until that is over", { error: describeError(error) });
  }
}

function examples(name: string): string {
  return `Share can0, which the administrator has set up:
    ip link set can0 up type can bitrate 500000
    ${name}
  then, on another machine, with python-can:
    can.Bus(interface="remote", channel="ws://this-machine:54701/")

More examples:
  An adapter with slcan at a USB port, at 250 kbit/s whatever clients ask for:
    ${name} --interface slcan --channel /dev/ttyACM0 --bitrate 250000

  No bus at all, to try programs with: what one client sends, the others see:
    ${name} --interface virtual --channel lab --host 127.0.0.1

  One bus for each port; clients of this one may only listen:
    ${name} --channel can1 --port 54702 --listen-only

  Clients that speak slcan themselves, which cannot be told from others:
    ${name} --wire slcan --port 54703`;
}
