/**
 * How many descriptors this process may have, and whether some are left beyond those that are kept for what matters more.
 *
 * The runtime raises its soft limit to the hard one when it starts, so what is in force then is all there will be.
 *
 * @module
 */

import {
  DESCRIPTORS_FOR_FILES,
  DESCRIPTORS_FOR_LINKS,
  FILES_PART,
  LINKS_PART,
  MAX_DESCRIPTOR_RESTS,
} from "../limits.ts";
import { AF_INET, libc, SOCK_DGRAM } from "./libc.ts";

const RLIMIT_NOFILE = 7;
/** In `/proc/self/limits`: the soft limit is the first number. */
const LIMIT_LINE = /^Max open files +(\d+)/m;

const limit = read();

function read(): number | undefined {
  const pair = new BigUint64Array(2);
  if (libc()?.getrlimit(RLIMIT_NOFILE, pair) === 0) return Number(pair[0]);
  try {
    const path = "/proc/self/limits";
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
    const found = LIMIT_LINE.exec(Deno.readTextFileSync(path));
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined; // no Linux
  }
}

/** Descriptors that this process may have (RLIMIT_NOFILE), if that can be known. */
export function descriptorLimit(): number | undefined {
  return limit;
}

/** Who takes descriptors: devices' links leave some for files, clients leave some for both. */
export type Taker = "link" | "client";

/** Descriptors of `most` that a taker leaves alone. */
export function keptFrom(taker: Taker, most: number): number {
  const files = Math.min(DESCRIPTORS_FOR_FILES, Math.floor(most / FILES_PART));
  return taker === "link" ? files : files + Math.min(DESCRIPTORS_FOR_LINKS, Math.floor(most / LINKS_PART));
}

/** Times that nobody need look, as there was ample room at the last look. */
let rests = 0;

/**
 * Whether only those are left that `taker` is to leave alone; never where that cannot be known. It is asked for each
 * descriptor that is taken, or nearly: while there are many, every so often is enough.
 */
export function isShortOfDescriptors(taker: Taker): boolean {
  const calls = libc();
  if (limit === undefined || !calls || rests-- > 0) return false;
  const next = calls.socket(AF_INET, SOCK_DGRAM, 0); // the kernel gives the lowest number that is free
  if (next < 0) return true;
  calls.close(next);
  rests = Math.min(MAX_DESCRIPTOR_RESTS, Math.floor((limit - keptFrom("client", limit) - next) / 8));
  return next >= limit - keptFrom(taker, limit);
}
