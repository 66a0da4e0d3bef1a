/**
 * What the first bytes of a connection say about who is there.
 *
 * @module
 */

/** A device that speaks v1, too few bytes to say, or somebody else. */
export type Opening =
  | { readonly kind: "v1" }
  | { readonly kind: "more" }
  | { readonly kind: "stranger"; readonly what: string };

/** A v1 link begins with exactly these bytes: LISTEN for client 0 without a payload. */
const V1_OPENING = [0, 0, 4, 0];

/** Bytes that {@linkcode detectOpening} looks at, at most. */
export const MAX_OPENING = 8;

/** Judges the bytes at the start of a connection; a stranger is known by the first byte that is wrong. */
export function detectOpening(bytes: Uint8Array): Opening {
  for (const [at, expected] of V1_OPENING.entries()) {
    if (at >= bytes.length) return { kind: "more" };
    if (bytes[at] !== expected) return { kind: "stranger", what: describe(bytes) };
  }
  return { kind: "v1" };
}

function describe(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, MAX_OPENING));
  if (/^(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PRI|TRACE|PATCH) ?/.test(text)) return "an HTTP request";
  if (text.startsWith("SSH-")) return "an SSH client";
  if (bytes[0] === 0x16 && (bytes.length < 2 || bytes[1] === 0x03)) return "a TLS hello";
  if (text.startsWith("PROXY ")) return "a PROXY protocol header";
  const hex = [...bytes.subarray(0, MAX_OPENING)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `the bytes ${hex}`;
}
