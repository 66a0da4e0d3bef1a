/**
 * `server enroll`, `devices`, `revoke`, `disable`, `enable`, `rename`, `service …`, `open`, `shut`, `expire`: the files of a server, whether it runs or not.
 *
 * @module
 */

import { systemClock } from "../../../base/clock.ts";
import type { Command } from "commander";
import { parseName } from "../../../protocol/name.ts";
import { fingerprint, parsePublicKey } from "../../../net/tls/identity.ts";
import { argument, printLine, taskCommand } from "../../../app/command.ts";
import { stderr } from "../../../app/output.ts";
import { tableLines } from "../../../base/table.ts";
import type { AuthorizedDevice } from "../../devices/authorized_devices.ts";
import { confirmFile } from "../confirm.ts";
import { formatPastTime, formatTime, readDevices } from "../../devices/edits.ts";
import { type Place, PLACE_OPTIONS, placeOf } from "./device_place.ts";
import { enrollCommand } from "./enroll.ts";
import { whyNotInForce } from "./held_file.ts";
import type { PendingEnrolment } from "../../state/enrolments.ts";
import type { LiveDevice } from "../../state/live_state.ts";
import { liveDevices } from "../admin/live.ts";
import { eachService, formatGrantedAddress, type ServiceGrant } from "../../devices/service_grant.ts";
import { selector } from "../../../app/admin/selector.ts";
import { parseSelector } from "../admin/select.ts";
import { tagCommand } from "./tags.ts";
import { openingCommands } from "./openings.ts";
import { servicesCommands } from "./services.ts";

/** All commands about devices, for the server's command that users know as `name`. */
export function devicesCommands(name: string): Command[] {
  return [
    enrollCommand(name),
    taskCommand(`${name} devices`, "Shows the devices that may link up, and those that may enrol.", PLACE_OPTIONS)
      .argument("[devices]", "only these: a name, a pattern as in gw*, or tag=TAG", argument(parseSelector))
      .option("--json", "print JSON")
      .action((devices: string | undefined, _options: unknown, command: Command) => list(command, devices)),
    named(`${name} revoke`, "Removes a device: its link ends, and its key is worth nothing.", revoke),
    named(`${name} disable`, "Bars a device until it is enabled again.", (at, device) => {
      return setDisabled(at, device, true);
    }),
    named(`${name} enable`, "Lets a disabled device in again.", (at, device) => setDisabled(at, device, false)),
    taskCommand(
      `${name} rename`,
      "Gives a device another name; its key, its services and its link stay.",
      PLACE_OPTIONS,
    )
      .argument("<old>", "its name", argument(parseName))
      .argument("<new>", "its name from now on", argument(parseName))
      .action(async (before: string, after: string, _options: unknown, command: Command) => {
        await rename(await placeOf(command, before), before, after);
      }),
    tagCommand(name),
    ...servicesCommands(name),
    ...openingCommands(name),
    taskCommand(
      `${name} confirm`,
      "Takes devices.toml as it is, though it bars most devices, or all of them.",
      PLACE_OPTIONS,
    )
      .action(async (_options: unknown, command: Command) => {
        const { folder, file } = await placeOf(command);
        await confirmFile(folder, file);
      }),
  ];
}

function named(fullName: string, help: string, run: (place: Place, device: string) => Promise<void>): Command {
  return taskCommand(fullName, help, PLACE_OPTIONS)
    .argument("<name>", "the device's name", argument(parseName))
    .action(async (device: string, _options: unknown, command: Command) => run(await placeOf(command, device), device));
}

async function setDisabled({ acts }: Place, device: string, disabled: boolean): Promise<void> {
  await acts.setDisabled(device, disabled);
  const what = disabled
    ? "is disabled"
    : "is enabled; it asks again within seconds if it was disabled lately, within a minute else";
  stderr.write(`"${device}" ${what}`);
}

async function revoke({ acts }: Place, device: string): Promise<void> {
  const withdrawn = await acts.revoke(device);
  stderr.write(`"${device}" is revoked${withdrawn > 0 ? ", with the enrolment that waited" : ""}`);
}

async function rename({ acts }: Place, before: string, after: string): Promise<void> {
  await acts.rename(before, after);
  stderr.write(`"${before}" is "${after}" from now on`);
}

/** One line of `devices`. */
interface Row {
  readonly name: string;
  readonly key: string | null;
  readonly fingerprint: string | null;
  readonly state: "active" | "disabled" | "expired" | "enrolling";
  /** Whether it has a link; `null` if that is not known, as the server does not run. */
  readonly online: boolean | null;
  /** Whether its session waits for another link, with its clients. */
  readonly interrupted: boolean;
  /** Since when, if the running server has seen it. */
  readonly since: string | null;
  /** Where it dialled from, if it has a link. */
  readonly remote: string | null;
  /** Its mode; with what follows `null` if that is not known. */
  readonly mode: string | null;
  /** Its program, as it said. */
  readonly software: string | null;
  /** The lowest and the highest version of the wire that it speaks. */
  readonly versions: readonly [number, number] | null;
  /** Its wall clock less the server's, in milliseconds. */
  readonly clockOffset: number | null;
  /** When it came last with versions that the server does not speak, if it did. */
  readonly incompatible: string | null;
  /** Where clients may reach its services: what was granted. */
  readonly services: Record<string, string>;
  /** Where they do: what is bound now. */
  readonly bound: Record<string, string>;
  /** Why some are not bound, of a device that has a link. */
  readonly unbound: Record<string, string>;
  readonly expires: string | null;
  readonly tags: readonly string[];
  readonly comment: string | null;
}

async function list(command: Command, only = "*"): Promise<void> {
  const { folder, file, enrolments } = await placeOf(command);
  const devices = await readDevices(file);
  const isMeant = selector(only);
  const live = await liveDevices(folder);
  const rows = [
    ...await Promise.all(
      devices.filter(({ name, tags }) => isMeant(name, tags)).map((device) => rowOf(device, systemClock.wall(), live)),
    ),
    ...(await enrolments.waiting()).filter(({ device }) => isMeant(device)).map((waiting) =>
      waitingRow(waiting, systemClock.wall())
    ),
  ];
  const doubt = live && await whyNotInForce({ folder, file }, devices, live);
  if (doubt !== undefined) stderr.write(doubt);
  if (command.opts<{ json?: true }>().json) return printLine(JSON.stringify(rows));
  if (rows.length === 0) {
    if (only !== "*") stderr.write(`no device matches "${only}"`);
    else if (doubt === undefined) stderr.write(`no devices yet in ${file}; enroll lets one in`);
    return;
  }
  for (const line of tableOf(rows)) printLine(line);
  if (!live) stderr.write("whether devices are online is unknown: the server is not running");
}

async function rowOf(
  device: AuthorizedDevice,
  now: number,
  live: ReadonlyMap<string, LiveDevice> | undefined,
): Promise<Row> {
  const { name, key, services, expires, disabled, tags = [], comment } = device;
  const expired = expires !== undefined && expires <= now;
  const seen = live?.get(key);
  const open = seen?.services.filter((service) => service.open) ?? [];
  const bound = Object.fromEntries(open.map((service) => [service.name, service.hostAddress]));
  return {
    name,
    key,
    fingerprint: await fingerprint(parsePublicKey(key)),
    state: disabled ? "disabled" : expired ? "expired" : "active",
    online: live ? seen?.online ?? false : null,
    interrupted: seen?.interrupted ?? false,
    since: seen?.since === undefined ? null : formatPastTime(seen.since),
    remote: seen?.remote ?? null,
    mode: seen?.mode ?? null,
    software: seen?.software ?? null,
    versions: seen?.versions ?? null,
    clockOffset: seen?.clockOffset ?? null,
    incompatible: seen?.incompatible ? formatPastTime(seen.incompatible.at) : null,
    services: addressesOf(services),
    bound,
    unbound: seen?.online ? whyUnbound(services, seen) : {},
    expires: expires === undefined ? null : formatTime(expires),
    tags,
    comment: comment ?? null,
  };
}

function waitingRow({ device, services, expires, validUntil, comment }: PendingEnrolment, now: number): Row {
  return {
    name: device,
    key: null,
    fingerprint: null,
    state: expires !== undefined && expires <= now ? "expired" : "enrolling", // what would be let in could not come
    online: false,
    interrupted: false,
    since: null,
    remote: null,
    mode: null,
    software: null,
    versions: null,
    clockOffset: null,
    incompatible: null,
    services: addressesOf(services ?? []),
    bound: {},
    unbound: {},
    expires: expires === undefined ? null : formatTime(expires),
    tags: [],
    comment: [`until ${formatTime(validUntil)}`, comment].filter(Boolean).join("; "),
  };
}

/** The device alone knows which. */
const NOT_OFFERED = "not offered now: down, with down=refuse, or not a service of the device";

/** Granted services of a device that is online, which clients cannot reach all the same. */
function whyUnbound(granted: readonly ServiceGrant[], { services }: LiveDevice): Record<string, string> {
  return Object.fromEntries(
    eachService(granted).flatMap(({ name }) => {
      const service = services.find((candidate) => candidate.name === name);
      return service?.open ? [] : [[name, service ? service.error ?? "not open yet" : NOT_OFFERED]];
    }),
  );
}

function addressesOf(services: readonly ServiceGrant[]): Record<string, string> {
  return Object.fromEntries(eachService(services).map(({ name, listen }) => [name, formatGrantedAddress(listen)]));
}

/** Columns as wide as what stands in them. */
function tableOf(rows: readonly Row[]): string[] {
  const cells = [
    ["NAME", "KEY", "STATE", "LINK", "EXPIRES", "SERVICES", "COMMENT"],
    ...rows.map((row) => [
      row.name,
      row.fingerprint ?? "-",
      row.state,
      linkOf(row),
      row.expires ?? "never",
      Object.keys(row.services).map((service) => serviceOf(row, service)).join(" ") || "-",
      [...row.tags.map((tag) => `#${tag}`), row.comment ?? ""].join(" ").trim(),
    ]),
  ];
  return tableLines(cells);
}

function linkOf({ key, online, interrupted, since, remote, versions, incompatible }: Row): string {
  if (key === null) return "-";
  if (online === null) return "unknown";
  if (incompatible !== null) return `incompatible: it speaks versions ${versions?.join(" to ")}, at ${incompatible}`;
  const state = online ? "online" : interrupted ? "interrupted" : "offline";
  return [state, since && `since ${since}`, remote && `from ${remote}`].filter(Boolean).join(" ");
}

/** A service with the address that is bound, else the one that was granted. */
function serviceOf({ services, bound, unbound }: Row, name: string): string {
  const why = unbound[name];
  return `${name}=${bound[name] ?? services[name]}${why === undefined ? "" : ` (${why})`}`;
}
