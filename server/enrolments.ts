/**
 * Enrolments: strings that let a device in once, without anybody having seen its key before.
 *
 * @module
 */

import { TOKEN_ID_SIZE, TOKEN_SECRET_SIZE } from "../protocol/enrolment.ts";
import { formatPublicKey } from "../net/identity.ts";
import { ConfigError } from "../app/config_error.ts";
import { withLock } from "../app/private_file.ts";
import { toHex } from "../app/state.ts";
import type { DevicesFound } from "./device_reader.ts";
import {
  addDevice,
  readDeviceFile,
  type ReadDevices,
  readerOf,
  replaceDevice,
  unknownDevice,
  updateDevices,
} from "./device_table.ts";
import { type EnrolmentRequest, type PendingEnrolment, readEnrolments, writeEnrolments } from "./enrolment_store.ts";
import { formatGrantedAddress, overlaps, type ServiceGrant } from "./service_grant.ts";

export type { EnrolmentRequest, PendingEnrolment } from "./enrolment_store.ts";

/** Enrolments that wait to be redeemed at most; and as many that were. */
export const MAX_ENROLMENTS = 1024;

/** Default of the time that an enrolment can be redeemed, in milliseconds. */
export const ENROLMENT_VALID_MS = 3600_000;

/** Milliseconds after its time for which an enrolment is still known, so that "too old" is not "unknown". */
export const ENROLMENT_KEPT_MS = 24 * 3600_000;

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

/** The enrolments of one state. Its methods may be called by several processes at once. */
export class Enrolments {
  readonly #folder: string;
  readonly #devices: string;
  readonly #now: () => number;
  readonly #read: ReadDevices;
  #stamp = "";
  #cached: readonly PendingEnrolment[] = [];

  /** Enrolments in `folder`, for the file `devices`, which `read` reads. `now` is the wall clock. */
  constructor(folder: string, devices: string, now: () => number = Date.now, read: ReadDevices = readerOf(devices)) {
    this.#folder = folder;
    this.#devices = devices;
    this.#now = now;
    this.#read = read;
  }

  /**
   * Makes an enrolment; one of the same device that still waits is withdrawn.
   *
   * @throws {ConfigError} if it could not be redeemed, or there are too many.
   */
  create(request: EnrolmentRequest, validFor = ENROLMENT_VALID_MS): Promise<NewEnrolment> {
    return withLock(this.#folder, async () => {
      const known = this.#prune(await readEnrolments(this.#folder));
      const kept = known.filter((other) => other.device !== request.device || other.usedBy !== undefined);
      const waiting = kept.filter((other) => this.#waits(other));
      if (waiting.length >= MAX_ENROLMENTS) {
        throw new ConfigError(
          `${MAX_ENROLMENTS} enrolments wait to be redeemed; revoke some of them, or let them expire`,
        );
      }
      const conflict = findConflict(request, await readDeviceFile(this.#devices, this.#read), waiting);
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
    const stamp = await this.#look();
    if (stamp !== this.#stamp) {
      this.#cached = await readEnrolments(this.#folder);
      this.#stamp = stamp;
    }
    const wanted = toHex(id);
    return this.#cached.find((enrolment) => enrolment.id === wanted);
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
   * Lets in the device that proved to have the secret. It may do so again with the same key.
   *
   * @throws {ConfigError} if a file of the state cannot be used now.
   */
  redeem(id: Uint8Array, publicKey: Uint8Array): Promise<Redemption> {
    return withLock(this.#folder, async () => {
      const all = await readEnrolments(this.#folder);
      const enrolment = all.find((candidate) => candidate.id === toHex(id));
      if (!enrolment) return refuse("unknown", "nobody knows this enrolment; ask for a new one");
      const key = formatPublicKey(publicKey);
      const devices = await readDeviceFile(this.#devices, this.#read);
      const known = devices.byKey.get(key);
      if (enrolment.usedBy !== undefined) {
        if (enrolment.usedBy === key && known) return { ok: true, device: known.name };
        return refuse("used", "this enrolment was used already; ask for a new one");
      }
      if (this.#now() >= enrolment.validUntil) return refuse("too-old", "this enrolment is too old; ask for a new one");
      if (known && known.name !== enrolment.device) {
        return refuse("conflict", `the key of this device is that of "${known.name}" already; make a new one`);
      }
      // A crash may have come between the two writes below: then the device is there, and the mark is not.
      if (!known || enrolment.replace) {
        const conflict = findConflict(enrolment, devices, []);
        if (conflict !== undefined) return refuse("conflict", conflict);
        await this.#admit(enrolment, key, devices);
      }
      const marked = all.map((other) => other === enrolment ? { ...other, usedBy: key } : other);
      await writeEnrolments(this.#folder, this.#prune(marked));
      return { ok: true, device: enrolment.device };
    });
  }

  /** Withdraws what waits for a device. To be called under the lock of the state. @returns how many. */
  async withdraw(device: string): Promise<number> {
    const all = await readEnrolments(this.#folder);
    const kept = all.filter((enrolment) => enrolment.device !== device || !this.#waits(enrolment));
    if (kept.length < all.length) await writeEnrolments(this.#folder, kept);
    return all.length - kept.length;
  }

  async #admit(enrolment: PendingEnrolment, key: string, devices: DevicesFound): Promise<void> {
    const { device: name, services, expires, comment } = enrolment;
    const more = { ...(expires !== undefined && { expires }), ...(comment !== undefined && { comment }) };
    const edit = devices.byName.has(name)
      ? replaceDevice({ name, key, ...(services && { services }), ...more })
      : addDevice({ name, key, services: services ?? [], ...more });
    await updateDevices(this.#devices, name, edit, this.#read);
  }

  #waits({ usedBy, validUntil }: PendingEnrolment): boolean {
    return usedBy === undefined && this.#now() < validUntil;
  }

  /** Leaves out what is long over, and the oldest of too many. */
  #prune(all: readonly PendingEnrolment[]): PendingEnrolment[] {
    const recent = all.filter(({ validUntil }) => this.#now() < validUntil + ENROLMENT_KEPT_MS);
    const over = recent.filter((enrolment) => !this.#waits(enrolment)).slice(-MAX_ENROLMENTS);
    return recent.filter((enrolment) => this.#waits(enrolment) || over.includes(enrolment));
  }

  /** What changes when the file does: it is only ever replaced. */
  async #look(): Promise<string> {
    try {
      const { mtime, ctime, size, ino } = await Deno.stat(`${this.#folder}/enrolments.toml`);
      return [mtime?.getTime(), ctime?.getTime(), size, ino].join();
    } catch {
      return "";
    }
  }
}

/** Why a device could not be let in as things stand, if so. */
function findConflict(
  { device, services, replace }: EnrolmentRequest,
  devices: DevicesFound,
  waiting: readonly PendingEnrolment[],
): string | undefined {
  const there = devices.byName.has(device);
  if (there && !replace) return `there is a device "${device}" already; --replace gives it a new key`;
  if (!there && replace) return unknownDevice(device, devices.byName.keys()).message;
  const others = waiting.flatMap(({ device: owner, services }) => ownedBy(owner, services ?? []));
  for (const service of services ?? []) {
    const claim = devices.claims.find(service.listen, device);
    const other = claim
      ? { owner: claim.device, ...claim.service }
      : others.find((grant) => overlaps(grant.listen, service.listen));
    if (other) {
      return `"${other.owner}" has ${formatGrantedAddress(other.listen)} for "${other.name}"; ` +
        `give "${service.name}" another host port, or 0 for any free one`;
    }
    others.push({ owner: device, ...service });
  }
  return undefined;
}

function ownedBy(owner: string, services: readonly ServiceGrant[]): (ServiceGrant & { readonly owner: string })[] {
  return services.map((service) => ({ owner, ...service }));
}

function refuse(reason: "unknown" | "used" | "too-old" | "conflict", text: string): Redemption {
  return { ok: false, reason, text };
}
