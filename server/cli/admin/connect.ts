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
import { ask, ASK_OPTIONS } from "./ask.ts";

const CONNECT_OPTIONS = {
  listen: {
    value: "HOST:PORT",
    help: "where clients reach it on the server (default: any free port of 127.0.0.1)",
    parse: (text: string) => (parseGrantedAddress(text), text),
  },
  for: { value: "TIME", help: "how long (default: 1h)", parse: parsePositiveDuration },
  from: {
    value: "NETWORK",
    help: "who may come there, any number of times",
    parse: (text: string) => (parseNetwork(text), text),
    many: true,
  },
  reason: { value: "TEXT", help: "why, for the log", parse: parseReason },
  "keep-clients": { ...FLAG, help: "let clients who are there when it closes stay" },
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
    "Has a device reach an address that its owner allows, for a time, and prints where clients reach it.",
    CONNECT_OPTIONS,
    `Examples:
  ${name} connect gw1 10.0.0.7:23                       telnet to what it prints
  ${name} connect gw1 10.0.0.7:80 --for 10m --listen 0.0.0.0:8080 --from 192.0.2.0/24
  ${name} shut gw1/to-10.0.0.7-23                       ends it before its time

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
  const { listen, for: ms, from, reason, "keep-clients": keepClients } = taskOptions(CONNECT_OPTIONS, command);
  const body = {
    address,
    by: whoAmI(),
    ...(listen !== undefined && { listen }),
    ...(ms !== undefined && { for: ms }),
    ...(from && { from }),
    ...(reason !== undefined && { reason }),
    ...(keepClients && { keepClients }),
  };
  const opened = await ask(command, (client) => client.post<Opened>(`/v1/devices/${device}/connect`, body));
  if (command.opts<{ json?: true }>().json) return printLine(JSON.stringify(opened));
  printLine(opened.hostAddress ?? "-");
  stderr.write(`${address} of ${device} until ${opened.until}; "shut ${device}/${opened.service}" ends it before`);
}
