/**
 * `server service add`, `move`, `remove` and `server expire`: what a device may open, and until when it may come.
 *
 * @module
 */

import { parseNetwork } from "../../../protocol/ip.ts";
import type { Command } from "commander";
import { V2_MAX_CHANNELS } from "../../../protocol/v2/limits.ts";
import { parseName } from "../../../protocol/name.ts";
import { argument, examplesOf, groupCommand, taskCommand, taskOptions } from "../../../app/command.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { FLAG, parsePositiveDuration, wholeNumber } from "../../../app/values.ts";
import { formatTime } from "../../devices/edits.ts";
import { PLACE_OPTIONS, placeOf } from "./device_place.ts";
import { parseExpiry } from "../../state/enroll.ts";
import {
  describeGrantedAddress,
  type GrantedPlace,
  isUdp,
  parseGrant,
  type ServiceGrant,
} from "../../devices/service_grant.ts";
import { parseLocal } from "../../devices/grant_table.ts";

const LIMITS = {
  "max-clients": { value: "N", help: "clients at once at most", parse: wholeNumber(1, V2_MAX_CHANNELS) },
  "idle-timeout": {
    value: "TIME",
    help: "end a client without a byte either way for so long (default: never)",
    parse: parsePositiveDuration,
  },
  "proxy-from": {
    value: "NETWORK",
    help: "load balancers whose connections begin with a PROXY header, any number of times",
    parse: (text: string) => (parseNetwork(text), text),
    many: true,
  },
} as const satisfies OptionTable;

const DEFINED = {
  local: {
    value: "HOST:PORT",
    help: "what the device dials, if its owner allows that (default: what the device offers by that name)",
    parse: parseLocal,
  },
  closed: { ...FLAG, help: 'its host port is closed until "open" opens it for a time' },
} as const satisfies OptionTable;

const ADD_OPTIONS = { ...LIMITS, ...DEFINED, ...PLACE_OPTIONS } as const satisfies OptionTable;

/** Commands about the services and the time of known devices, below the server's command `name`. */
export function servicesCommands(name: string): Command[] {
  const fullName = `${name} service`;
  const group = groupCommand(
    fullName,
    "Adds, moves and removes services of a known device.",
    PLACE_OPTIONS,
    examples(name),
  )
    .addCommand(
      task(
        `${fullName} add`,
        "Lets a device offer one more service.",
        ADD_OPTIONS,
        examplesOf(fullName, "add gw1 web=0.0.0.0:8080 --max-clients 20", "add gw1 snmp=udp:127.0.0.1:1161"),
      )
        .argument(
          "<service>",
          "the service and where clients reach it, NAME=HOST:PORT, NAME=udp:HOST:PORT or NAME=unix:PATH",
          argument(parseGrant),
        )
        .action((device: string, grant: ServiceGrant, _options: unknown, command: Command) =>
          add(command, device, grant)
        ),
    )
    .addCommand(
      task(
        `${fullName} move`,
        "Gives a service another host port; its clients are ended, its limits stay.",
        PLACE_OPTIONS,
        examplesOf(fullName, "move gw1 web=127.0.0.1:8081"),
      )
        .argument(
          "<service>",
          "the service and where clients reach it from now on, NAME=HOST:PORT",
          argument(parseGrant),
        )
        .action((device: string, grant: ServiceGrant, _options: unknown, command: Command) =>
          move(command, device, grant)
        ),
    )
    .addCommand(
      task(
        `${fullName} remove`,
        "Takes a service from a device: its host port is closed, its clients are ended.",
        PLACE_OPTIONS,
        examplesOf(fullName, "remove gw1 web"),
      )
        .argument("<service>", "the service's name", argument(parseName))
        .action((device: string, service: string, _options: unknown, command: Command) =>
          remove(command, device, service)
        ),
    );
  const expire = task(
    `${name} expire`,
    "Sets until when a device may link up.",
    PLACE_OPTIONS,
    examplesOf(name, "expire gw1 2027-01-31", "expire gw1 90d", "expire gw1 never"),
  )
    .argument(
      "<time>",
      "a date, a span from now as in 90d, or never",
      argument((text) => text === "never" ? text : parseExpiry(text)),
    )
    .action((device: string, time: number | "never", _options: unknown, command: Command) =>
      expires(command, device, time)
    );
  return [group, expire];
}

function task(fullName: string, help: string, table: OptionTable, examples: string): Command {
  return taskCommand(fullName, help, table, examples).argument("<name>", "the device's name", argument(parseName));
}

async function add(command: Command, device: string, { name, listen }: ServiceGrant): Promise<void> {
  const limits = taskOptions(ADD_OPTIONS, command);
  const grant: ServiceGrant = {
    name,
    listen,
    ...(limits["max-clients"] !== undefined && { maxClients: limits["max-clients"] }),
    ...(limits["idle-timeout"] !== undefined && { idleTimeout: limits["idle-timeout"] }),
    ...(limits["proxy-from"] && { proxyFrom: limits["proxy-from"] }),
    ...(limits.local !== undefined && { local: limits.local }),
    ...(limits.closed && { closed: true }),
  };
  await (await placeOf(command, device)).acts.grantService(device, grant);
  const opens = grant.closed
    ? `which "sallyport server open ${device}/${name} --for 1h" opens, once the device offers it`
    : "which opens once the device offers it";
  stderr.write(
    `"${device}" may offer "${name}" at ${describeGrantedAddress(listen)}, ${opens} beside those it has: ` +
      `sallyport device service add ${name}=${offerOf(listen)}`,
  );
}

/** What a device would offer for a place of clients, in words of its command. */
function offerOf(listen: GrantedPlace): string {
  if (isUdp(listen)) return "udp:HOST:PORT";
  return `HOST:${"each" in listen && listen.each ? "FROM-TO" : "PORT"}`;
}

async function move(command: Command, device: string, { name, listen }: ServiceGrant): Promise<void> {
  await (await placeOf(command, device)).acts.moveService(device, name, listen);
  stderr.write(`"${name}" of "${device}" is at ${describeGrantedAddress(listen)} from now on`);
}

async function remove(command: Command, device: string, name: string): Promise<void> {
  await (await placeOf(command, device)).acts.withdrawService(device, name);
  stderr.write(`"${device}" may not offer "${name}" any more`);
}

async function expires(command: Command, device: string, time: number | "never"): Promise<void> {
  const at = time === "never" ? undefined : time;
  await (await placeOf(command, device)).acts.expire(device, at);
  stderr.write(at === undefined ? `"${device}" never expires` : `"${device}" may link up until ${formatTime(at)}`);
}

function examples(name: string): string {
  return `Examples:
  ${name} service add gw1 web=0.0.0.0:8080 --max-clients 20
  ${name} service move gw1 web=127.0.0.1:8081
  ${name} service remove gw1 web

What is changed holds within a second, also while the server runs, and whoever is not concerned notices nothing.`;
}
