/**
 * `server open` and `server shut`: a service that is closed by default, open for a time.
 *
 * @module
 */

import type { Command } from "commander";
import { V2_MAX_TEXT } from "../../../protocol/v2/limits.ts";
import { parseNetwork } from "../../../protocol/ip.ts";
import { eachService } from "../../devices/service_grant.ts";
import { parseName } from "../../../protocol/name.ts";
import { systemClock } from "../../../base/clock.ts";
import type { AdminClient } from "../../../app/admin/client.ts";
import { askIfThere } from "../../../app/admin/cli/place.ts";
import { argument, examplesOf, taskCommand, taskOptions } from "../../../app/command.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { UnfinishedError } from "../../../app/run.ts";
import { withLock } from "../../../app/files/private_file.ts";
import { FLAG, parsePositiveDuration } from "../../../app/values.ts";
import { openingKey } from "../../access/openings.ts";
import { mergeRules } from "../../access/rules.ts";
import { notClosedText, unknownServiceText } from "../../devices/grant_table.ts";
import { formatTime, readAllDevices, unknownDevice } from "../../devices/edits.ts";
import { changeOpenings, readOpenings, type WrittenOpening } from "../../state/openings_file.ts";
import { wasDoneByServer } from "../audited.ts";
import { whoAmI } from "../who_am_i.ts";
import { PLACE_OPTIONS, placeOf } from "./device_place.ts";

const OPEN_OPTIONS = {
  ...PLACE_OPTIONS,
  for: { value: "TIME", help: "how long it is open, as in 30m or 1h, up to 7d", parse: parsePositiveDuration },
  from: {
    value: "NETWORK",
    help: "who may come there, any number of times (default: whoever the rules of the service let in)",
    parse: (text: string) => (parseNetwork(text), text),
    many: true,
  },
  reason: { value: "TEXT", help: "why, for the log", parse: parseReason },
  "keep-clients": { ...FLAG, help: "let clients who are there when it closes stay" },
} as const satisfies OptionTable;

interface Target {
  readonly device: string;
  readonly service: string;
}

/** Parses `DEVICE/SERVICE`. */
export function parseTarget(text: string): Target {
  const [device, service, ...rest] = text.split("/");
  if (!device || !service || rest.length > 0) {
    throw new SyntaxError(`"${text}" is no service; write DEVICE/SERVICE, as in gw1/ssh`);
  }
  return { device: parseName(device), service: parseName(service) };
}

/** Parses why something is asked for: one line. */
export function parseReason(text: string): string {
  if (new TextEncoder().encode(text).length <= V2_MAX_TEXT && !/\p{Cc}/u.test(text)) return text;
  throw new SyntaxError(`a reason is one line of ${V2_MAX_TEXT} bytes at most`);
}

/** Both commands. */
export function openingCommands(name: string): Command[] {
  const target = argument(parseTarget);
  return [
    taskCommand(
      `${name} open`,
      "Opens a service that is closed = true in devices.toml, for a time.",
      OPEN_OPTIONS,
      examplesOf(
        name,
        "open gw1/ssh --for 1h",
        'open gw1/ssh --for 30m --from 198.51.100.0/24 --reason "ticket 7"',
        "shut gw1/ssh                      before its time is over",
      ),
    )
      .argument("<service>", "the service, as DEVICE/SERVICE", target)
      .action((target: Target, _options: unknown, command: Command) => open(target, command)),
    taskCommand(
      `${name} shut`,
      "Closes a service that was opened for a time.",
      PLACE_OPTIONS,
      examplesOf(name, "shut gw1/ssh", "shut gw1/to-10.0.0.7-23           what connect has opened"),
    )
      .argument("<service>", "the service, as DEVICE/SERVICE", target)
      .action((target: Target, _options: unknown, command: Command) => close(target, command)),
  ];
}

async function open({ device, service }: Target, command: Command): Promise<void> {
  const given = taskOptions(OPEN_OPTIONS, command);
  if (given.for === undefined) throw new ConfigError("--for is missing; for example: --for 1h");
  const { folder, file } = await placeOf(command, device);
  const since = Math.floor(systemClock.wall());
  const opening: WrittenOpening = {
    device,
    service,
    since,
    until: since + given.for,
    ...(given.from && { from: given.from }),
    ...(given.reason !== undefined && { reason: given.reason }),
    by: whoAmI(),
    ...(given["keep-clients"] && { keepClients: true }),
  };
  const { for: ms, ...rest } = given;
  const body = {
    service,
    for: ms,
    ...(rest.from && { from: rest.from }),
    ...(rest.reason !== undefined && { reason: rest.reason }),
    by: opening.by,
    ...(rest["keep-clients"] && { keepClients: true }),
  };
  if (await byServer(command, folder, (client) => client.post(`/v1/devices/${device}/open`, body))) {
    return stderr.write(`${device}/${service} is open until ${formatTime(opening.until)}`);
  }
  await withLock(folder, async () => {
    const { byName, defaults } = await readAllDevices(file);
    const found = byName.get(device);
    if (!found) throw unknownDevice(device, byName.keys());
    const grant = eachService(found.services).find((each) => each.name === service);
    if (!grant) throw new ConfigError(unknownServiceText(device, service, found.services));
    if (!mergeRules(defaults, found.access, grant).closed) {
      throw new UnfinishedError(notClosedText(device, service, found.services, file));
    }
    await changeOpenings(folder, since, new Map([[openingKey(device, service), opening]]));
  });
  stderr.write(`${device}/${service} is open until ${formatTime(opening.until)}`);
}

async function close({ device, service }: Target, command: Command): Promise<void> {
  const { folder, file } = await placeOf(command, device);
  const by = whoAmI();
  if (await byServer(command, folder, (client) => client.post(`/v1/devices/${device}/shut`, { service, by }))) {
    return stderr.write(`${device}/${service} is closed`);
  }
  await withLock(folder, async () => {
    const now = systemClock.wall();
    const all = await readOpenings(folder);
    const found = all.find((each) => each.device === device && each.service === service);
    if (!found || found.until <= now || found.closedBy !== undefined) {
      const { byName } = await readAllDevices(file);
      const services = byName.get(device)?.services;
      if (!services) throw unknownDevice(device, byName.keys());
      if (!eachService(services).some((each) => each.name === service)) {
        throw new ConfigError(unknownServiceText(device, service, services));
      }
      throw new UnfinishedError(`${device}/${service} was not opened, or is closed again already`);
    }
    await changeOpenings(folder, now, new Map([[openingKey(device, service), { ...found, closedBy: by }]]));
  });
  stderr.write(`${device}/${service} is closed`);
}

/** Has the server do it that runs with a state, at once. @returns whether one does, and has an API. */
async function byServer(
  command: Command,
  folder: string,
  act: (client: AdminClient) => Promise<unknown>,
): Promise<boolean> {
  const place = { folder, admin: undefined, tokenFile: undefined };
  const isDone = await askIfThere(place, async (client) => (await act(client), true)) ?? false;
  if (isDone) wasDoneByServer(command);
  return isDone;
}
