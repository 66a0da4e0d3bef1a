/**
 * `server clients` and `server close`: connections at host ports.
 *
 * @module
 */

import type { Command } from "commander";
import type { AdminClient } from "../../../app/admin/client.ts";
import { clientTable } from "../../../app/admin/cli/client_table.ts";
import { datagramText } from "../../../app/admin/cli/datagrams.ts";
import { argument, examplesOf, printLine, taskCommand } from "../../../app/command.ts";
import { stderr, terminalColumns } from "../../../app/output.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import { systemClock } from "../../../base/clock.ts";
import { parseName } from "../../../protocol/name.ts";
import { UnfinishedError } from "../../../app/run.ts";
import { NAMES_SHOWN } from "../../devices/edits.ts";
import type { Client, Device } from "../../admin/schemas.ts";
import { MAX_UDP_DEVICES } from "../../limits.ts";
import { ask, ASK_OPTIONS, listed } from "./ask.ts";
import { demandConsent, demandMatch, doToEach, parseSelector } from "./select.ts";

/** Whose clients are meant. */
interface Target {
  /** The number of one. */
  readonly id?: string;
  readonly device?: string;
  readonly service?: string;
}

/** The commands, below the server's command `name`. */
export function clientCommands(name: string): Command[] {
  return [
    taskCommand(
      `${name} clients`,
      "Shows the clients that are connected, with the bytes that they have carried.",
      ASK_OPTIONS,
      examplesOf(name, "clients", "clients 'gw*'", "clients gw1 --json | jq '.[].address'"),
    )
      .argument(
        "[device]",
        "only those of these devices: a name, a pattern as in gw*, or tag=TAG",
        argument(parseSelector),
      )
      .option("--json", "print JSON")
      .action((device: string | undefined, _options: unknown, command: Command) => list(command, device)),
    taskCommand(`${name} close`, "Ends clients at once.", ASK_OPTIONS, examples(name))
      .argument("<client>", "its number in clients; or all of DEVICE or DEVICE/SERVICE", argument(parseTarget))
      .option("--yes", "do not ask back before several are ended")
      .action((target: Target, _options: unknown, command: Command) => close(command, target)),
  ];
}

/** Parses whose clients are meant. */
export function parseTarget(text: string): Target {
  if (/^\d{1,15}$/.test(text)) return { id: text };
  const [device = "", service, ...more] = text.split("/");
  if (more.length > 0) throw new SyntaxError(`"${text}" is no client; write its number, DEVICE, or DEVICE/SERVICE`);
  parseSelector(device);
  return service === undefined ? { device } : { device, service: parseName(service) };
}

async function list(command: Command, device: string | undefined): Promise<void> {
  const clients = await ask(command, async (client) => {
    if (device === undefined) return await found(client, {});
    const theirs = await found(client, { device });
    if (theirs.length === 0) await demandMatch(client, device);
    return theirs;
  });
  if (command.opts<{ json?: true }>().json) return printLine(JSON.stringify(clients));
  if (clients.length === 0) return void stderr.write("no clients now");
  const lines = clients.map(({ device, service, hostAddress, ...client }) => ({
    ...client,
    service: device === null ? service : `${device}/${service}`,
    place: hostAddress,
  }));
  for (const line of clientTable("HOST", lines, terminalColumns(), systemClock.wall())) printLine(line);
  const udp = new Set(clients.filter(({ hostAddress }) => hostAddress.startsWith("udp:")).map(({ device }) => device));
  for (const line of await ask(command, (client) => datagramLines(client, [...udp].slice(0, MAX_UDP_DEVICES)))) {
    printLine(line);
  }
}

/** What became of the datagrams of each service over UDP of some devices. */
async function datagramLines(client: AdminClient, devices: readonly (string | null)[]): Promise<string[]> {
  const lines: string[] = [];
  for (const name of devices) {
    const { services } = await client.get<Device>(`/v1/devices/${name}`);
    for (const { name: service, datagrams } of services) {
      if (datagrams) lines.push(`${name}/${service}  ${datagramText(datagrams)}`);
    }
  }
  return lines;
}

async function close(command: Command, target: Target): Promise<void> {
  await ask(command, async (client) => {
    const ids = target.id !== undefined ? [target.id] : (await found(client, target)).map(({ id }) => String(id));
    if (ids.length === 0) await noClients(client, target);
    demandConsent("ends clients", ids, command.opts<{ yes?: true }>().yes === true);
    await doToEach(ids, (id) => client.post(`/v1/clients/${id}/close`), "is ended");
  });
}

/** @throws {ConfigError} for a device or a service that there is not; {UnfinishedError} if it has no clients now. */
async function noClients(client: AdminClient, { device = "*", service }: Target): Promise<never> {
  await demandMatch(client, device);
  if (service === undefined) throw new UnfinishedError(`"${device}" has no clients now`);
  const names = new Set<string>();
  for await (const { services } of listed<Device>(client, "/v1/devices", { match: device })) {
    for (const { name } of services) names.add(name);
  }
  if (names.has(service)) throw new UnfinishedError(`"${device}/${service}" has no clients now`);
  const known = [...names].slice(0, NAMES_SHOWN).join(", ");
  throw new ConfigError(`"${device}" has no service "${service}"; ${known ? `there are: ${known}` : "it has none"}`);
}

async function found(client: AdminClient, { device, service }: Target): Promise<Client[]> {
  const clients: Client[] = [];
  for await (const each of listed<Client>(client, "/v1/clients", { device, service })) clients.push(each);
  return clients;
}

function examples(name: string): string {
  return `Examples:
  ${name} close 17
  ${name} close gw1/ssh
  ${name} close 'gw*' --yes`;
}
