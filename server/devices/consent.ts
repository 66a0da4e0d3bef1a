/**
 * Which losses of access are meant: those of `server revoke`, and a whole file that `server confirm` has looked at. A
 * running server believes them at once.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { stringify, TomlDate } from "smol-toml";
import { CONSENT_KEPT_MS } from "../limits.ts";
import { formatPublicKey, parsePublicKey } from "../../net/tls/identity.ts";
import { writePrivateFile } from "../../app/files/private_file.ts";
import { statPath } from "../../app/files/private_folder.ts";
import { hexBytes, readState, toHex } from "../../app/files/state.ts";
import { parseTime } from "../../app/values.ts";

/** What somebody asked for lately. */
export interface Consent {
  /** A text of devices.toml that holds whatever it takes away. */
  readonly file?: ConfirmedText;
  /** Keys that were revoked, with the time of it in milliseconds since 1970. */
  readonly revoked: ReadonlyMap<string, number>;
}

/** A text that somebody has looked at. */
export interface ConfirmedText {
  /** Its SHA-256, in hexadecimal. */
  readonly hash: string;
  /** When that was, in milliseconds since 1970. */
  readonly at: number;
}

/** Nobody asked for anything. */
export const NO_CONSENT: Consent = { revoked: new Map() };

const FILE = "consent.toml";

/** Bytes of a block of a disk. */
const BLOCK = 4096;

/** Takes the room that a revocation needs, so that it can be written when the disk is full. */
export async function reserveConsent(folder: string): Promise<void> {
  if (!statPath(`${folder}/${FILE}`)) await write(folder, NO_CONSENT);
}

/**
 * Reads what stands in a state, and is not older than {@linkcode CONSENT_KEPT_MS}.
 *
 * @param now Milliseconds since 1970.
 * @throws {ConfigError} if it is damaged.
 */
export async function readConsent(folder: string, now = systemClock.wall()): Promise<Consent> {
  const table = await readState(`${folder}/${FILE}`);
  const isFresh = (at: number) => Math.abs(now - at) < CONSENT_KEPT_MS; // a clock that was set back made the future
  const hash = table?.one("file", (text) => toHex(hexBytes(32)(text)));
  const at = table?.one("confirmed", parseTime);
  const revoked = table?.table("revoked");
  const keys = (revoked?.names ?? []).map((name) => {
    return [formatPublicKey(parsePublicKey(name)), revoked!.one(name, parseTime) ?? 0] as const;
  });
  return {
    ...(hash !== undefined && at !== undefined && isFresh(at) && { file: { hash, at } }),
    revoked: new Map(keys.filter(([, at]) => isFresh(at))),
  };
}

/** Says that a device's loss is meant. To be called under the lock of the state, before the device goes. */
export async function consentToLoss(folder: string, key: string, now = systemClock.wall()): Promise<void> {
  const { file, revoked } = await readConsent(folder, now).catch(() => NO_CONSENT);
  await write(folder, { ...(file && { file }), revoked: new Map([...revoked, [key, now]]) });
}

/** Says that a text of devices.toml is meant as it is. To be called under the lock of the state. */
export async function consentToFile(folder: string, source: string, now = systemClock.wall()): Promise<void> {
  await write(folder, { file: { hash: await hashOf(source), at: now }, revoked: new Map() });
}

/** What was asked for and has happened: a file that loses the same once more has nobody's consent. */
export class SpentConsent {
  #file: number | undefined;
  #revoked: ReadonlyMap<string, number> = new Map();

  /** What of `consent` is still to happen. */
  rest({ file, revoked }: Consent): Consent {
    const left = [...revoked].filter(([key, at]) => this.#revoked.get(key) !== at);
    return { ...(file && file.at !== this.#file && { file }), revoked: new Map(left) };
  }

  /** Notes that a text was taken up after `consent` was given: it was about that text, or about one before. */
  spendFile({ file }: Consent): void {
    this.#file = file?.at;
  }

  /** Notes which keys are gone, of those in `consent`. */
  spendLosses({ revoked }: Consent, isGone: (key: string) => boolean): void {
    this.#revoked = new Map([...revoked].filter(([key, at]) => isGone(key) || this.#revoked.get(key) === at));
  }
}

/** Names a text of devices.toml. */
export async function hashOf(source: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source))));
}

async function write(folder: string, { file, revoked }: Consent): Promise<void> {
  const time = (at: number) => new TomlDate(new Date(at));
  const times = Object.fromEntries([...revoked].map(([key, at]) => [key, time(at)]));
  const text = stringify({ ...(file && { file: file.hash, confirmed: time(file.at) }), revoked: times });
  const body = `# Written by "server revoke" and "server confirm".\n${text}`;
  // Whole blocks, and in place if need be: on a full disk it takes no more room than it has.
  const room = Math.ceil(body.length / BLOCK) * BLOCK - body.length;
  await writePrivateFile(`${folder}/${FILE}`, `${body}${"\n".repeat(room)}`, "in-place");
}
