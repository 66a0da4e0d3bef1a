/**
 * The devices that may link up, as their owner wrote them: a TOML file that is read again when it changes.
 *
 * @module
 */

import { DEVICES_POLL_MS, DEVICES_SETTLE_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { Emitter } from "../../base/emitter.ts";
import { describeInOneLine } from "../../base/errors.ts";
import { formatDuration } from "../../base/format.ts";
import { formatPublicKey } from "../../net/tls/identity.ts";
import type { Logger } from "../../base/logger.ts";
import { atOnce, inSlices, type Steps } from "../../base/slices.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { readStateFileSync, stampOf } from "../../app/files/private_file.ts";
import type { AccessRules } from "../access/rules.ts";
import { type Consent, hashOf, NO_CONSENT, SpentConsent } from "./consent.ts";
import type { AuthorizedDevice } from "./entry.ts";
import { DeviceReader, type DevicesFound } from "./reader.ts";
import { type DevicesChange, findChanges } from "./differences.ts";
import { describeLoss, findLoss, type Loss, settleTime, without } from "./losses.ts";

export { type AuthorizedDevice, parseComment } from "./entry.ts";
export { parseDevices } from "./reader.ts";
export type { DevicesChange } from "./differences.ts";

/** A text of the file that is not believed yet. */
interface Held {
  readonly source: string;
  readonly file: DevicesFound;
  /** When it was seen first. */
  readonly since: number;
  /** Whether that has been told. */
  told: boolean;
}

/** A text of the file that is to be taken up. */
type Taking = () => Promise<void>;

/** The current devices. */
export class AuthorizedDevices {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #consent: () => Promise<Consent>;
  readonly #spent = new SpentConsent();
  readonly #reader: DeviceReader;
  readonly #changes: Emitter<DevicesChange>;
  #devices: DevicesFound;
  /** The text that the devices are from. */
  #inForce: string;
  #stamp: string;
  /** The text that was looked at last, whether it could be used or not. */
  #source: string | undefined;
  /** Whether it could be read then: what stands there has to be looked at anew if not, even if it is the same as before. */
  #couldRead = true;
  #held: Held | undefined;
  #trouble: string | undefined;
  #reading: Promise<void>;
  #cancel: () => void;

  /**
   * Reads `file`, and again when it changes until {@linkcode close}. One that is not there yet has no devices.
   *
   * @param consent Tells which losses of access are meant.
   * @throws {ConfigError} if it cannot be used.
   */
  constructor(
    file: string,
    clock: Clock,
    log: Logger,
    consent: () => Promise<Consent> = () => Promise.resolve(NO_CONSENT),
  ) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#consent = consent;
    this.#reader = new DeviceReader(file);
    this.#changes = new Emitter(log);
    this.#stamp = this.#look();
    this.#source = this.#readText();
    this.#inForce = this.#source ?? "";
    this.#devices = atOnce(this.#reader.read(this.#inForce));
    this.#reading = this.#spendAll();
    this.#cancel = clock.after(DEVICES_POLL_MS, () => this.#poll());
  }

  /** All devices, in the order of the file. */
  get all(): AuthorizedDevice[] {
    return [...this.#devices.devices];
  }

  /** How many there are. */
  get count(): number {
    return this.#devices.devices.length;
  }

  /** Why the file is not taken as it stands now, if it is not: the devices are those of before. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Sections of the file that were really read so far: what changes of it cost. */
  get sectionsRead(): number {
    return this.#reader.sectionsRead;
  }

  /** The device with a public key, if there is one. */
  byKey(raw: Uint8Array): AuthorizedDevice | undefined {
    return this.#devices.byKey.get(formatPublicKey(raw));
  }

  /** The device of a name, if there is one. */
  byName(name: string): AuthorizedDevice | undefined {
    return this.#devices.byName.get(name);
  }

  /** The rules for all. */
  get defaults(): AccessRules {
    return this.#devices.defaults;
  }

  /** Whether a port is somebody's for good: whoever picks a free one has to leave it. */
  isReserved(port: number): boolean {
    return this.#devices.claims.has(port);
  }

  /** Calls `subscriber` for every change from now on; a large one comes in pieces. @returns what ends that. */
  subscribe(subscriber: (change: DevicesChange) => void): () => void {
    return this.#changes.subscribe(subscriber);
  }

  /** Reads a text of the file: what this has read before costs nothing. @throws {ConfigError} as for the file. */
  parse(source: string): Promise<DevicesFound> {
    return inSlices(this.#reader.read(source), this.#clock);
  }

  /**
   * Reads the file now, without waiting for it to settle: for whoever has just changed it, whole.
   *
   * @returns when all have heard of what changed; never rejects.
   */
  reload(): Promise<void> {
    return this.#reading = this.#reading.then(() => this.#read());
  }

  /**
   * Reads the file in the same way, and takes it up when that is committed, or leaves it to the next look. Nobody else reads
   * it meanwhile.
   *
   * @returns nothing if it is in force as it stands.
   * @throws {ConfigError} if it cannot be.
   */
  async prepare(): Promise<{ commit(): Promise<void>; undo(): void } | undefined> {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    const before = this.#reading;
    this.#reading = before.then(() => promise);
    await before;
    const [stamp, source, couldRead, held] = [this.#stamp, this.#source, this.#couldRead, this.#held];
    const take = await this.#weigh();
    if (take) {
      const undo = () => {
        [this.#stamp, this.#source, this.#couldRead, this.#held] = [stamp, source, couldRead, held];
        release();
      };
      return { commit: () => take().finally(release), undo };
    }
    release();
    if (this.#trouble !== undefined) throw new ConfigError(this.#trouble);
    return undefined;
  }

  /** The same as {@linkcode reload}, if the file is not the one that was read last. */
  refresh(): Promise<void> {
    return this.#look() === this.#stamp ? this.#reading : this.reload();
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#cancel();
  }

  /** Looks whether the file has changed, and reads it when it has stood still since the last look. */
  #poll(seen?: string): void {
    const stamp = this.#look();
    const settled = stamp === this.#stamp || stamp === seen;
    if (settled && (stamp !== this.#stamp || this.#held || !this.#couldRead)) this.reload();
    this.#cancel = this.#clock.after(
      settled ? DEVICES_POLL_MS : DEVICES_SETTLE_MS,
      () => this.#poll(settled ? undefined : stamp),
    );
  }

  /** What changes when the file does. Looking is a matter of microseconds: not worth a promise. */
  #look(): string {
    return stampOf(this.#file);
  }

  #readText(): string | undefined {
    this.#couldRead = false;
    const source = readStateFileSync(this.#file);
    this.#couldRead = true;
    return source;
  }

  async #read(): Promise<void> {
    await (await this.#weigh())?.();
  }

  /** Looks at the file. @returns what takes it up, if it is another one, and is to be in force. */
  async #weigh(): Promise<Taking | undefined> {
    this.#stamp = this.#look();
    const couldRead = this.#couldRead;
    try {
      const source = this.#readText();
      if (couldRead && source === this.#source) return this.#held && await this.#review(this.#held);
      this.#source = source;
      this.#held = undefined;
      if (source === undefined) throw new ConfigError(`${this.#file} is gone`);
      const file = await this.parse(source);
      return await this.#review({ source, file, since: this.#clock.now(), told: false });
    } catch (error) {
      const what = describeInOneLine(error);
      if (!this.#couldRead && what === this.#trouble) return undefined; // it is tried again and again
      this.#trouble = what;
      this.#log.error("{error}; the devices stay as they were", { error: what, file: this.#file });
      return undefined;
    }
  }

  /**
   * Whether a text looks like a mistake: then it has to stand still for long, or somebody to confirm it.
   *
   * @returns what takes it up, if it is to be.
   */
  async #review(held: Held): Promise<Taking | undefined> {
    const { source, file, since } = held;
    let loss = await this.#lossBy(file, NO_CONSENT);
    let consent = NO_CONSENT;
    if (settleTime(loss, source, this.#inForce) > 0) {
      consent = this.#spent.rest(await this.#readConsent());
      if (consent.file && consent.file.hash === await hashOf(source)) loss = { ...loss, kind: "none" };
      else loss = await this.#lossBy(file, consent);
    }
    const settle = settleTime(loss, source, this.#inForce);
    if (this.#clock.now() - since >= settle) return () => this.#take(source, file);
    this.#held = held;
    this.#tellHeld(held, loss, settle);
    const isMeant = (key: string) => this.#devices.byKey.has(key) && !file.byKey.has(key);
    const revoked = [...consent.revoked.keys()].filter(isMeant);
    if (revoked.length === 0) return undefined;
    this.#spent.spendLosses(consent, isMeant);
    await this.#apply(await inSlices(without(this.#devices, new Set(revoked)), this.#clock));
    return undefined;
  }

  async #take(source: string, file: DevicesFound): Promise<void> {
    this.#held = undefined;
    if (this.#trouble !== undefined) this.#log.info("{file} is taken as it stands again", { file: this.#file });
    this.#trouble = undefined;
    this.#inForce = source;
    await this.#spendOn(file);
    await this.#apply(file);
  }

  async #readConsent(): Promise<Consent> {
    try {
      return await this.#consent();
    } catch (error) {
      this.#log.error("{error}; nobody can confirm what devices lose", { error: describeInOneLine(error) });
      return NO_CONSENT;
    }
  }

  /** What was asked for before this started was about the file as it is now, or as it was. */
  async #spendAll(): Promise<void> {
    const consent = await this.#readConsent();
    this.#spent.spendFile(consent);
    this.#spent.spendLosses(consent, () => true);
  }

  /** A text that is taken up ends what was asked for before, but for losses that it does not have. */
  async #spendOn({ byKey }: DevicesFound): Promise<void> {
    const consent = await this.#readConsent();
    if (this.#look() !== this.#stamp) return; // it may be about the next text
    this.#spent.spendFile(consent);
    this.#spent.spendLosses(consent, (key) => !byKey.has(key));
  }

  #lossBy(file: DevicesFound, { revoked }: Consent): Promise<Loss> {
    return inSlices(findLoss(this.#devices, file, revoked, this.#clock.wall()), this.#clock);
  }

  #tellHeld(held: Held, loss: Loss, settle: number): void {
    const what = describeLoss(loss);
    const then = loss.kind === "all"
      ? 'if all are to go, "server confirm" says so'
      : `"server confirm" takes it up at once, and ${formatDuration(settle)} of standing still does`;
    this.#trouble = `${this.#file} ${what}`;
    if (held.told) return;
    held.told = true;
    const { lost, had } = loss;
    const facts = { file: this.#file, what, then, lost, had };
    this.#log.error("{file} {what}; the devices stay as they were: {then}", facts);
  }

  async #apply(devices: DevicesFound): Promise<void> {
    const changes = await inSlices(findChanges(this.#devices, devices), this.#clock);
    this.#devices = devices;
    if (changes.length === 0) return;
    const total = (kind: "added" | "removed" | "changed") =>
      changes.reduce((sum, change) => sum + change[kind].length, 0);
    this.#log.info("devices reread: {added} added, {removed} removed, {changed} changed", {
      added: total("added"),
      removed: total("removed"),
      changed: total("changed"),
    });
    await inSlices(this.#tell(changes), this.#clock, 1);
  }

  *#tell(changes: readonly DevicesChange[]): Steps<void> {
    for (const change of changes) {
      this.#changes.emit(change);
      yield;
    }
  }
}
