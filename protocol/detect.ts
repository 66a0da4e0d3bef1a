/**
 * What the first bytes of a connection say about who is there.
 *
 * @module
 */

import { MAX_OPENING } from "./limits.ts";
import { V2_PREAMBLE } from "./v2/wire/commands.ts";

/** A device that speaks v1, too few bytes to say, or somebody else. */
export type Opening =
  | { readonly kind: "v1" }
  | { readonly kind: "more" }
  | ({ readonly kind: "stranger" } & Stranger);

/** Who begins otherwise than is expected: a device that was told otherwise, or anybody. */
export interface Stranger {
  /** What it speaks: a wire profile, TLS, the PROXY protocol of load balancers, or anything else. */
  readonly speaks: "v1" | "v2" | "tls" | "proxy" | "other";
  /** For people: what it began with. */
  readonly what: string;
}

/** A v1 link begins with exactly these bytes: LISTEN for client 0 without a payload. */
const V1_OPENING = [0, 0, 4, 0];

/** How the headers of version 1, "PROXY ", and 2 begin. */
const PROXY_OPENINGS = [[0x50, 0x52, 0x4f, 0x58, 0x59, 0x20], [0x0d, 0x0a, 0x0d, 0x0a]];

/** Judges the bytes at the start of a connection; a stranger is known by the first byte that is wrong. */
export function detectOpening(bytes: Uint8Array): Opening {
  for (const [at, expected] of V1_OPENING.entries()) {
    if (at >= bytes.length) return { kind: "more" };
    if (bytes[at] !== expected) return { kind: "stranger", ...describeStranger(bytes) };
  }
  return { kind: "v1" };
}

/** Says who begins with `bytes`. */
export function describeStranger(bytes: Uint8Array): Stranger {
  if (startsWith(bytes, V1_OPENING)) return { speaks: "v1", what: "the LISTEN of a v1 device" };
  if (startsWith(bytes, V2_PREAMBLE)) return { speaks: "v2", what: "the preamble of a v2 device" };
  if (bytes[0] === 0x16 && (bytes.length < 2 || bytes[1] === 0x03)) return { speaks: "tls", what: "a TLS hello" };
  if (PROXY_OPENINGS.some((opening) => startsWith(bytes, opening))) {
    return { speaks: "proxy", what: "a PROXY protocol header" };
  }
  return { speaks: "other", what: describe(bytes) };
}

function startsWith(bytes: Uint8Array, opening: ArrayLike<number>): boolean {
  return bytes.length >= opening.length && Array.from(opening).every((byte, at) => bytes[at] === byte);
}

function describe(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, MAX_OPENING));
  if (/^(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PRI|TRACE|PATCH) ?/.test(text)) return "an HTTP request";
  if (text.startsWith("SSH-")) return "an SSH client";
  const hex = [...bytes.subarray(0, MAX_OPENING)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `the bytes ${hex}`;
}
