/**
 * Which losses of access are meant: those of `server revoke`, and a whole file that `server confirm` has looked at. A
 * running server believes them at once.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { stringify, TomlDate } from "smol-toml";
import { formatPublicKey, parsePublicKey } from "../../net/tls/identity.ts";
import { writePrivateFile } from "../../app/files/private_file.ts";
import { statPath } from "../../app/files/private_folder.ts";
import { hexBytes, readState, toHex } from "../../app/files/state.ts";
import { parseTime } from "../../app/values.ts";

/** Milliseconds for which a revocation is remembered: a running server looks twice a second. */
export const REVOCATION_KEPT_MS = 600_000;

/** What somebody asked for. */
export interface Consent {
  /** SHA-256 of a text of devices.toml, in hexadecimal, that holds whatever it takes away. */
  readonly file?: string;
  /** Keys that were revoked, with the time of it in milliseconds since 1970. */
  readonly revoked: ReadonlyMap<string, number>;
}

const FILE = "consent.toml";

/** Bytes of a block of a disk. */
const BLOCK = 4096;

/** Takes the room that a revocation needs, so that it can be written when the disk is full. */
export async function reserveConsent(folder: string): Promise<void> {
  if (!statPath(`${folder}/${FILE}`)) await write(folder, { revoked: new Map() });
}

/** Reads what stands in a state. @throws {ConfigError} if it is damaged. */
export async function readConsent(folder: string): Promise<Consent> {
  const table = await readState(`${folder}/${FILE}`);
  const file = table?.one("file", (text) => toHex(hexBytes(32)(text)));
  const revoked = table?.table("revoked");
  const keys = (revoked?.names ?? []).map((name) => {
    return [formatPublicKey(parsePublicKey(name)), revoked!.one(name, parseTime) ?? 0] as const;
  });
  return { ...(file !== undefined && { file }), revoked: new Map(keys) };
}

/** Says that a device's loss is meant. To be called under the lock of the state, before the device goes. */
export async function consentToLoss(folder: string, key: string, now = systemClock.wall()): Promise<void> {
  const { file, revoked } = await readConsent(folder).catch((): Consent => ({ revoked: new Map() }));
  const kept = [...revoked].filter(([, at]) => Math.abs(now - at) < REVOCATION_KEPT_MS);
  await write(folder, { ...(file !== undefined && { file }), revoked: new Map([...kept, [key, now]]) });
}

/** Says that a text of devices.toml is meant as it is. To be called under the lock of the state. */
export async function consentToFile(folder: string, source: string): Promise<void> {
  await write(folder, { file: await hashOf(source), revoked: new Map() });
}

/** Names a text of devices.toml. */
export async function hashOf(source: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source))));
}

async function write(folder: string, { file, revoked }: Consent): Promise<void> {
  const times = Object.fromEntries([...revoked].map(([key, at]) => [key, new TomlDate(new Date(at))]));
  const text = stringify({ ...(file !== undefined && { file }), revoked: times });
  const body = `# Written by "server revoke" and "server confirm".\n${text}`;
  // Whole blocks, and in place if need be: on a full disk it takes no more room than it has.
  const room = Math.ceil(body.length / BLOCK) * BLOCK - body.length;
  await writePrivateFile(`${folder}/${FILE}`, `${body}${"\n".repeat(room)}`, "in-place");
}
