/**
 * `server connect`: a device is asked to reach an address of its network (seed 003, TCPRemoteConnect).
 *
 * @module
 */

import type { Command } from "commander";
import { parseNetwork } from "../../../protocol/ip.ts";
import { parseName } from "../../../protocol/name.ts";
import { argument, printLine, taskCommand, taskOptions } from "../../../app/command.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { FLAG, parsePositiveDuration } from "../../../app/values.ts";
import { parseLocal } from "../../devices/grant_table.ts";
import { parseGrantedAddress } from "../../devices/service_grant.ts";
import { parseReason } from "../files/openings.ts";
import { whoAmI } from "../who_am_i.ts";
import { askedPlace } from "../../../app/admin/cli/ask.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";
import { connectStream } from "./connect_stream.ts";

const CONNECT_OPTIONS = {
  listen: {
    value: "HOST:PORT",
    help: "where clients reach it on the server, port 0 for any free one; without it, standard input and output do",
    parse: (text: string) => (parseGrantedAddress(text), text),
  },
  for: { value: "TIME", help: "with --listen: how long (default: 1h)", parse: parsePositiveDuration },
  from: {
    value: "NETWORK",
    help: "with --listen: who may come there, any number of times",
    parse: (text: string) => (parseNetwork(text), text),
    many: true,
  },
  reason: { value: "TEXT", help: "why, for the log", parse: parseReason },
  "keep-clients": { ...FLAG, help: "with --listen: let clients who are there when it closes stay" },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

interface Opened {
  readonly service: string;
  readonly hostAddress: string | null;
  readonly until: string;
}

/** The command, below the server's command `name`. */
export function connectCommand(name: string): Command {
  return taskCommand(
    `${name} connect`,
    "Has a device reach an address that its owner allows: here, or for others at a host port, for a time.",
    CONNECT_OPTIONS,
    `Examples:
  ${name} connect gw1 10.0.0.7:23                       talks to it, as nc does
  ssh -o ProxyCommand='${name} connect gw1 127.0.0.1:22' root@gw1
  ${name} connect gw1 10.0.0.7:80 --listen 0.0.0.0:8080 --for 10m --from 192.0.2.0/24
  ${name} shut gw1/to-10.0.0.7-80                       ends that before its time

The device says what it may be asked for: --allow 10.0.0.0/24:23, and nothing by default.`,
  )
    .argument("<device>", "the device's name", argument(parseName))
    .argument("<address>", "what it is to reach, as HOST:PORT", argument(parseLocal))
    .option("--json", "print JSON")
    .action((device: string, address: string, _options: unknown, command: Command) =>
      connect(command, device, address)
    );
}

async function connect(command: Command, device: string, address: string): Promise<void> {
  const options = taskOptions(CONNECT_OPTIONS, command);
  const { listen, for: ms, from, reason, "keep-clients": keepClients } = options;
  const { json } = command.opts<{ json?: true }>();
  if (listen === undefined) {
    demandNoPort({ for: ms, from, "keep-clients": keepClients, json });
    const { folder, admin } = askedPlace("server", command);
    if (admin !== undefined && admin !== "unix") {
      throw new ConfigError("standard input and output reach a server of this machine alone; say --listen HOST:PORT");
    }
    const target = { device, address, by: whoAmI(), reason, folder };
    return await ask(command, (client) => connectStream(client, target));
  }
  const body = {
    address,
    by: whoAmI(),
    listen,
    ...(ms !== undefined && { for: ms }),
    ...(from && { from }),
    ...(reason !== undefined && { reason }),
    ...(keepClients && { keepClients }),
  };
  const opened = await ask(command, (client) => client.post<Opened>(`/v1/devices/${device}/connect`, body));
  if (json) return printLine(JSON.stringify(opened));
  printLine(opened.hostAddress ?? "-");
  stderr.write(`${address} of ${device} until ${opened.until}; "shut ${device}/${opened.service}" ends it before`);
}

/** @throws {ConfigError} for what makes sense at a host port alone. */
function demandNoPort(options: Readonly<Record<string, unknown>>): void {
  const [given] = Object.entries(options).find(([, value]) => value !== undefined) ?? [];
  if (given !== undefined) {
    throw new ConfigError(`--${given} is for a host port; add --listen HOST:PORT, as in --listen 127.0.0.1:0`);
  }
}
