/**
 * Enrolments: strings that let a device in once, without anybody having seen its key before.
 *
 * @module
 */

import {
  ENROLMENT_KEPT_MS,
  ENROLMENT_VALID_MS,
  MAX_ENROLMENTS,
  MAX_REDEEMED_AT_ONCE,
  REDEEM_LOCK_MS,
} from "../limits.ts";
import { systemClock } from "../../base/clock.ts";
import { TOKEN_ID_SIZE, TOKEN_SECRET_SIZE } from "../../protocol/enrolment.ts";
import { formatPublicKey } from "../../net/tls/identity.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { actorFor } from "../../app/files/path_actor.ts";
import { withLock } from "../../app/files/private_file.ts";
import { explain } from "../../app/files/private_folder.ts";
import { demandWritable } from "../../app/files/replace_file.ts";
import { toHex } from "../../app/files/state.ts";
import { inSlices } from "../../base/slices.ts";
import { DeviceFile, type NewDevice } from "../devices/file.ts";
import { DeviceIndex } from "../devices/index.ts";
import { type ReadDevices, readDevicesBy, readerOf, replaceDevice, updateDevices } from "../devices/edits.ts";
import {
  type EnrolmentRequest,
  enrolmentsStamp,
  EnrolmentStore,
  type PendingEnrolment,
  readEnrolments,
  writeEnrolments,
} from "./enrolment_store.ts";

export type { EnrolmentRequest, PendingEnrolment } from "./enrolment_store.ts";

/** What a new enrolment's string is made of. */
export interface NewEnrolment {
  /** 8 bytes. */
  readonly tokenId: Uint8Array;
  /** 16 bytes, which are kept nowhere. */
  readonly tokenSecret: Uint8Array;
  /** Until when it can be redeemed, in milliseconds since 1970. */
  readonly validUntil: number;
  /** Whether another string, which was made for the same device before, could have been redeemed until now. */
  readonly voided: boolean;
}

/** How redeeming went; a reason and a text for the log and for the device, if it did not. */
export type Redemption =
  | { readonly ok: true; readonly device: string }
  | { readonly ok: false; readonly reason: "unknown" | "used" | "too-old" | "conflict"; readonly text: string };

/** What {@linkcode Enrolments} may be told beside the files. */
export interface EnrolmentsOptions {
  /** The wall clock. */
  readonly now?: () => number;
  /** Reads a text of the file of devices, for whoever remembers what it meant before. */
  readonly read?: ReadDevices;
}

/** Somebody who redeems. */
interface Redeemer {
  readonly id: string;
  readonly key: string;
  readonly done: PromiseWithResolvers<Redemption>;
}

/** The enrolments of one state. Its methods may be called by several processes at once. */
export class Enrolments {
  readonly #folder: string;
  readonly #file: string;
  readonly #now: () => number;
  readonly #store: EnrolmentStore;
  readonly #read: ReadDevices;
  readonly #devices: DeviceFile;
  readonly #queue: Redeemer[] = [];
  #working = false;
  #stamp = "";
  #loading: { readonly stamp: string; readonly done: Promise<void> } | undefined;
  #cached: ReadonlyMap<string, PendingEnrolment> = new Map();

  /** Enrolments in `folder`, for the file `devices`. */
  constructor(folder: string, devices: string, options: EnrolmentsOptions | (() => number) = {}) {
    const { now, read } = typeof options === "function" ? { now: options } as EnrolmentsOptions : options;
    this.#folder = folder;
    this.#file = devices;
    this.#now = now ?? systemClock.wall;
    this.#store = new EnrolmentStore(folder);
    this.#read = read ?? readerOf(devices);
    this.#devices = new DeviceFile(devices, this.#read);
  }

  /**
   * Makes an enrolment; one of the same device that still waits is withdrawn.
   *
   * @throws {ConfigError} or {MachineError} if it could not be redeemed, or there are too many.
   */
  create(request: EnrolmentRequest, validFor = ENROLMENT_VALID_MS): Promise<NewEnrolment> {
    return withLock(this.#folder, async () => {
      // As whoever has the state: that is who will let the device in.
      await explain("write", this.#file, () => demandWritable(this.#file, actorFor(this.#folder)));
      const known = this.#prune(await readEnrolments(this.#folder));
      const kept = known.filter((other) => other.device !== request.device || other.usedBy !== undefined);
      const waiting = kept.filter((other) => this.#waits(other));
      if (waiting.length >= MAX_ENROLMENTS) {
        throw new ConfigError(
          `${MAX_ENROLMENTS} enrolments wait to be redeemed; revoke some of them, or let them expire`,
        );
      }
      const { devices } = await readDevicesBy(this.#file, this.#read);
      const index = await inSlices(DeviceIndex.of(devices), systemClock);
      for (const { device, services } of waiting) index.reserve(device, services ?? []);
      const conflict = index.conflict(request);
      if (conflict !== undefined) throw new ConfigError(conflict);
      const tokenId = crypto.getRandomValues(new Uint8Array(TOKEN_ID_SIZE));
      const tokenSecret = crypto.getRandomValues(new Uint8Array(TOKEN_SECRET_SIZE));
      const secretHash = new Uint8Array(await crypto.subtle.digest("SHA-256", tokenSecret));
      const validUntil = this.#now() + validFor;
      const enrolment = { ...request, id: toHex(tokenId), secretHash, validUntil };
      await writeEnrolments(this.#folder, [...kept, enrolment]);
      const voided = known.some((other) => other.device === request.device && this.#waits(other));
      return { tokenId, tokenSecret, validUntil, voided };
    });
  }

  /** The enrolment with an id, whether it can be redeemed or not. Whoever asks for it has proved nothing yet. */
  async find(id: Uint8Array): Promise<PendingEnrolment | undefined> {
    const stamp = enrolmentsStamp(this.#folder);
    if (stamp !== this.#stamp) {
      if (this.#loading?.stamp !== stamp) { // many may ask at once
        this.#loading = { stamp, done: readEnrolments(this.#folder).then((all) => this.#cache(all, stamp)) };
      }
      await this.#loading.done.finally(() => this.#loading = undefined);
    }
    return this.#cached.get(toHex(id));
  }

  /** Whether the enrolment with an id can still be redeemed. */
  async waits(id: Uint8Array): Promise<boolean> {
    const enrolment = await this.find(id);
    return enrolment !== undefined && this.#waits(enrolment);
  }

  /** All that wait to be redeemed. */
  async waiting(): Promise<PendingEnrolment[]> {
    return (await readEnrolments(this.#folder)).filter((enrolment) => this.#waits(enrolment));
  }

  /**
   * Lets in the device that proved to have the secret. It may do so again with the same key. Those who come at once share
   * the writing of the files; a string that was used, or is too old, is refused without it.
   *
   * @throws {ConfigError} if a file of the state cannot be used; {MachineError} if it cannot be used now.
   */
  async redeem(id: Uint8Array, publicKey: Uint8Array): Promise<Redemption> {
    const key = formatPublicKey(publicKey);
    const known = await this.find(id);
    if (known?.usedBy !== undefined && known.usedBy !== key) return USED;
    if (known && known.usedBy === undefined && this.#now() >= known.validUntil) return TOO_OLD;
    const done = Promise.withResolvers<Redemption>();
    this.#queue.push({ id: toHex(id), key, done });
    this.#work();
    return await done.promise;
  }

  /** Serves those who wait, many at a time. */
  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (this.#queue.length > 0) {
      let some: Redeemer[] = [];
      try {
        await withLock(this.#folder, async () => {
          some = this.#queue.splice(0, MAX_REDEEMED_AT_ONCE);
          const results = await this.#redeemAll(some);
          some.forEach(({ done }, at) => done.resolve(results[at]!));
        }, REDEEM_LOCK_MS);
      } catch (error) {
        // Without the lock nobody was served, and those who wait have waited long enough.
        for (const { done } of [...some, ...some.length === 0 ? this.#queue.splice(0) : []]) done.reject(error);
      }
    }
    this.#working = false;
  }

  /** To be called under the lock of the state. */
  async #redeemAll(some: readonly Redeemer[]): Promise<Redemption[]> {
    const all = await this.#store.read();
    const devices = await this.#devices.read();
    const byId = new Map(all.map((enrolment) => [enrolment.id, enrolment]));
    const added: NewDevice[] = [];
    const replaced: { readonly enrolment: PendingEnrolment; readonly key: string }[] = [];
    const results = some.map(({ id, key }): Redemption => {
      const enrolment = byId.get(id);
      if (!enrolment) return refuse("unknown", "nobody knows this enrolment; ask for a new one");
      const known = devices.byKey(key);
      if (enrolment.usedBy !== undefined) {
        return enrolment.usedBy === key && known !== undefined ? { ok: true, device: known } : USED;
      }
      if (this.#now() >= enrolment.validUntil) return TOO_OLD;
      if (known !== undefined && known !== enrolment.device) {
        return refuse("conflict", `the key of this device is that of "${known}" already; ${OTHER_KEY}`);
      }
      // A crash may have come between the two writes below: then the device is there, and the mark is not.
      if (known === undefined || enrolment.replace) {
        const conflict = devices.conflict(enrolment);
        if (conflict !== undefined) return refuse("conflict", conflict);
        if (enrolment.replace) replaced.push({ enrolment, key });
        else added.push(newDevice(enrolment, key));
        devices.add({ name: enrolment.device, key, services: enrolment.services ?? [], disabled: false });
      }
      byId.set(id, { ...enrolment, usedBy: key });
      return { ok: true, device: enrolment.device };
    });
    try {
      await this.#devices.append(added);
      for (const { enrolment, key } of replaced) {
        const edit = replaceDevice(newDevice(enrolment, key, false));
        await updateDevices(this.#file, enrolment.device, edit, undefined, this.#read);
      }
    } finally {
      if (replaced.length > 0) this.#devices.forget();
    }
    const marked = [...byId.values()];
    if (marked.some((enrolment, at) => enrolment !== all[at])) {
      const kept = this.#prune(marked);
      await this.#store.write(kept);
      this.#cache(kept, enrolmentsStamp(this.#folder));
    }
    return results;
  }

  #cache(all: readonly PendingEnrolment[], stamp: string): void {
    this.#cached = new Map(all.map((enrolment) => [enrolment.id, enrolment]));
    this.#stamp = stamp;
  }

  /** Withdraws what waits for a device. To be called under the lock of the state. @returns how many. */
  async withdraw(device: string): Promise<number> {
    const all = await readEnrolments(this.#folder);
    const kept = all.filter((enrolment) => enrolment.device !== device || !this.#waits(enrolment));
    if (kept.length < all.length) await writeEnrolments(this.#folder, kept);
    return all.length - kept.length;
  }

  #waits({ usedBy, validUntil }: PendingEnrolment): boolean {
    return usedBy === undefined && this.#now() < validUntil;
  }

  /** Leaves out what is long over, and the oldest of too many. */
  #prune(all: readonly PendingEnrolment[]): PendingEnrolment[] {
    const recent = all.filter(({ validUntil }) => this.#now() < validUntil + ENROLMENT_KEPT_MS);
    const over = new Set(recent.filter((enrolment) => !this.#waits(enrolment)).slice(-MAX_ENROLMENTS));
    return recent.filter((enrolment) => this.#waits(enrolment) || over.has(enrolment));
  }
}

/** The device that an enrolment makes; for one that is there, only what was `given`. */
function newDevice(enrolment: PendingEnrolment, key: string): NewDevice;
function newDevice(
  enrolment: PendingEnrolment,
  key: string,
  all: false,
): Partial<NewDevice> & { name: string; key: string };
function newDevice({ device: name, services, expires, comment }: PendingEnrolment, key: string, all = true) {
  return {
    name,
    key,
    ...(services ? { services } : all && { services: [] }),
    ...(expires !== undefined && { expires }),
    ...(comment !== undefined && { comment }),
  };
}

function refuse(reason: "unknown" | "used" | "too-old" | "conflict", text: string): Redemption {
  return { ok: false, reason, text };
}

const OTHER_KEY = "rename that on the server, or join with another --state, which has a key of its own";

const USED = refuse("used", "this enrolment was used already; ask for a new one");
const TOO_OLD = refuse("too-old", "this enrolment is too old; ask for a new one");
