/**
 * What is open for a time, in the state: so that it stays across restarts, and commands can change it.
 *
 * @module
 */

import { DEVICES_POLL_MS, KEPT_PORTS_LOCK_MS, MAX_OPENINGS } from "../limits.ts";
import { V2_MAX_TEXT } from "../../protocol/v2/limits.ts";
import { parseNetwork } from "../../protocol/ip.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { readPrivateFile, stampOf, withLock, writePrivateFile } from "../../app/files/private_file.ts";
import { tomlKey, tomlString } from "../../app/toml/scan.ts";
import { TomlTable } from "../../app/toml/table.ts";
import { parseTime } from "../../app/values.ts";
import { parseLocal } from "../devices/grant_table.ts";
import { parseGrantedAddress } from "../devices/service_grant.ts";
import type { Renamed } from "../devices/differences.ts";
import { type Opening, openingKey, Openings } from "../access/openings.ts";

/** The file's name in the state. */
export const OPENINGS_FILE = "openings.toml";

/** An opening, as the file has it. */
export interface WrittenOpening extends Opening {
  /** Who closed it, and nobody has taken notice yet. */
  readonly closedBy?: string;
}

/** Keeps {@linkcode OpeningsFile.openings} and the file the same. */
export class OpeningsFile {
  readonly openings: Openings;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** What changed here and is not written yet. */
  #changes = new Map<string, Opening | undefined>();
  #stamp: string;
  #work: Promise<void> = Promise.resolve();
  #isReading = false;
  #isTold = false; // that it cannot be written
  #cancelPoll: () => void;
  readonly #unsubscribe: () => void;

  private constructor(folder: string, clock: Clock, log: Logger, stamp: string, written: readonly WrittenOpening[]) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#stamp = stamp;
    this.openings = new Openings(clock, log);
    this.openings.restore(written.filter(({ closedBy }) => closedBy === undefined));
    for (const { device, service, until } of this.openings.all) {
      log.info("{device}/{service} is open until {until}", { device, service, until: new Date(until).toISOString() });
    }
    this.#unsubscribe = this.openings.subscribe(({ opening, open }) => {
      if (this.#isReading) return; // the file has it
      this.#changes.set(openingKey(opening.device, opening.service), open ? opening : undefined);
      this.#work = this.#work.then(() => this.#write());
    });
    this.#cancelPoll = clock.after(DEVICES_POLL_MS, () => this.#poll());
  }

  /** Reads what is open in a state, and again when the file changes. @throws {ConfigError} if it is damaged. */
  static async load(folder: string, clock: Clock, log: Logger): Promise<OpeningsFile> {
    const stamp = stampOf(`${folder}/${OPENINGS_FILE}`);
    return new OpeningsFile(folder, clock, log, stamp, await readOpenings(folder));
  }

  /** Devices have other names: what is open of them stays so. */
  rename(names: readonly Renamed[]): void {
    const { before, after } = this.openings.rename(names);
    for (const { device, service } of before) this.#changes.set(openingKey(device, service), undefined);
    for (const opening of after) this.#changes.set(openingKey(opening.device, opening.service), opening);
    this.#work = this.#work.then(() => this.#write());
  }

  /** Looks no more, and writes what is not written yet. */
  async close(): Promise<void> {
    this.#cancelPoll();
    this.#unsubscribe();
    this.openings.stop();
    await this.#work;
    if (this.#changes.size > 0) await this.#write();
  }

  #poll(): void {
    const stamp = stampOf(`${this.#folder}/${OPENINGS_FILE}`);
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#work = this.#work.then(() => this.#read());
    } else if (this.#changes.size > 0) this.#work = this.#work.then(() => this.#write());
    this.#cancelPoll = this.#clock.after(DEVICES_POLL_MS, () => this.#poll());
  }

  /** Takes over what commands have written. */
  async #read(): Promise<void> {
    try {
      const written = new Map(
        (await readOpenings(this.#folder)).map((each) => [openingKey(each.device, each.service), each]),
      );
      this.#isReading = true; // nothing waits until it is false again
      for (const { device, service } of this.openings.all) {
        const key = openingKey(device, service);
        const now = written.get(key);
        if (this.#changes.has(key) || now && now.closedBy === undefined) continue;
        this.openings.close(device, service, now?.closedBy);
      }
      for (const [key, { closedBy, ...opening }] of written) {
        if (closedBy !== undefined || this.#changes.has(key) || opening.until <= this.#clock.wall()) continue;
        const before = this.openings.get(opening.device, opening.service);
        if (JSON.stringify(before) !== JSON.stringify(opening)) this.openings.open(opening);
      }
    } catch (error) {
      const [error_ = ""] = describeError(error).split("\n");
      this.#log.error("{error}; what is open for a time stays as it was", { error: error_ });
    } finally {
      this.#isReading = false;
    }
  }

  async #write(): Promise<void> {
    const changes = this.#changes;
    if (changes.size === 0) return;
    this.#changes = new Map();
    try {
      await withLock(this.#folder, () => changeOpenings(this.#folder, this.#clock.wall(), changes), KEPT_PORTS_LOCK_MS);
      this.#isTold = false;
    } catch (error) {
      this.#changes = new Map([...changes, ...this.#changes]); // for the next time
      if (this.#isTold) return; // it is tried again at each look
      this.#isTold = true;
      this.#log.warn("{error}; what is open for a time is not written yet", { error: describeError(error) });
    }
  }
}

/** Changes the file: opens, or forgets (`undefined`), by {@linkcode openingKey}. To be called under the lock of the state. */
export async function changeOpenings(
  folder: string,
  now: number,
  changes: ReadonlyMap<string, WrittenOpening | undefined>,
): Promise<void> {
  const all = new Map((await readOpenings(folder)).map((each) => [openingKey(each.device, each.service), each]));
  for (const [key, opening] of changes) {
    all.delete(key);
    if (opening) all.set(key, opening);
  }
  const text = [...all.values()].filter(({ until }) => until > now).map(format).join("\n");
  const heading = "# Services that are open for a time; written by the server, and by its commands open and shut.\n";
  await writePrivateFile(`${folder}/${OPENINGS_FILE}`, `${heading}${text}`);
}

/** What the file has. @throws {ConfigError} with the place of a mistake. */
export async function readOpenings(folder: string): Promise<WrittenOpening[]> {
  const path = `${folder}/${OPENINGS_FILE}`;
  const source = await readPrivateFile(path);
  if (source === undefined) return [];
  const top = TomlTable.parse(path, source);
  const openings = top.names.flatMap((device) => {
    const services = top.table(device)!;
    return services.names.map((service) => readOpening(device, service, services.table(service)!));
  });
  top.rejectUnknown();
  if (openings.length > MAX_OPENINGS) throw top.error(undefined, `${openings.length} openings are too many`);
  return openings;
}

function readOpening(device: string, service: string, table: TomlTable): WrittenOpening {
  const text = (text: string) => text;
  const [since, until] = [table.one("since", parseTime), table.one("until", parseTime)];
  if (since === undefined || until === undefined) throw table.error(undefined, '"since" and "until" have to be there');
  const from = table.list("from", (text) => (parseNetwork(text), text));
  const to = table.one("to", parseLocal);
  const listen = table.one("listen", (text) => (parseGrantedAddress(text), text));
  const [reason, by, closedBy] = [table.one("reason", text), table.one("by", text), table.one("closed-by", text)];
  const keepClients = table.flag("keep-clients");
  return {
    device,
    service,
    since,
    until,
    ...(to !== undefined && { to }),
    ...(listen !== undefined && { listen }),
    ...(from && { from }),
    ...(reason !== undefined && { reason }),
    ...(by !== undefined && { by }),
    ...(keepClients !== undefined && { keepClients }),
    ...(closedBy !== undefined && { closedBy }),
  };
}

function format(opening: WrittenOpening): string {
  const { device, service, since, until, to, listen, from, reason, by, keepClients, closedBy } = opening;
  const short = (text: string) => tomlString(text.slice(0, V2_MAX_TEXT));
  return [
    `[${tomlKey(device)}.${tomlKey(service)}]`,
    `since = ${new Date(since).toISOString()}`,
    `until = ${new Date(until).toISOString()}`,
    ...(to === undefined ? [] : [`to = ${tomlString(to)}`]),
    ...(listen === undefined ? [] : [`listen = ${tomlString(listen)}`]),
    ...(from ? [`from = [${from.map(tomlString).join(", ")}]`] : []),
    ...(reason === undefined ? [] : [`reason = ${short(reason)}`]),
    ...(by === undefined ? [] : [`by = ${short(by)}`]),
    ...(keepClients === undefined ? [] : [`keep-clients = ${keepClients}`]),
    ...(closedBy === undefined ? [] : [`closed-by = ${short(closedBy)}`]),
    "",
  ].join("\n");
}
