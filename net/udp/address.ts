/**
 * Addresses of UDP, as people write them: `udp:HOST:PORT[,max-age=200ms]`.
 *
 * @module
 */

import { parsePositiveDuration, writeDuration } from "../../base/duration.ts";
import { MAX_DATAGRAM_AGE_MS } from "../limits.ts";

/** What is said of an address that is one of UDP. */
export interface UdpDetails {
  /** Milliseconds that a datagram may be old when it is sent on. @default {200} */
  readonly maxAge?: number | undefined;
}

/** Whether a text begins as one. `udp:53` is port 53 of UDP here, and no host called udp. */
export function looksLikeUdp(text: string): boolean {
  return text.startsWith("udp:");
}

/** Takes what is said of UDP from a text. @throws {SyntaxError} with what was wrong and what would do. */
export function parseUdp(text: string): readonly [address: string, details: UdpDetails] {
  const [address = "", ...options] = text.slice("udp:".length).split(",");
  if (address.startsWith("//")) throw new SyntaxError(`"${text}" is a URL; write udp:${address.slice(2)} alone`);
  let details: UdpDetails = {};
  for (const option of options) {
    const value = /^max-age=(.*)$/.exec(option)?.[1];
    if (value === undefined) throw new SyntaxError(`"${option}" in "${text}" is nothing here; there is max-age=200ms`);
    if (details.maxAge !== undefined) throw new SyntaxError(`"${text}" says max-age twice; say it once`);
    details = { maxAge: parseMaxAge(value, text) };
  }
  return [address, details];
}

/** The inverse of {@linkcode parseUdp}. */
export function formatUdp(address: string, { maxAge }: UdpDetails = {}): string {
  return `udp:${address}${maxAge === undefined ? "" : `,max-age=${writeDuration(maxAge)}`}`;
}

function parseMaxAge(value: string, text: string): number {
  let ms: number;
  try {
    ms = parsePositiveDuration(value);
  } catch (error) {
    throw error instanceof SyntaxError ? new SyntaxError(`max-age in "${text}": ${error.message}`) : error;
  }
  if (ms <= MAX_DATAGRAM_AGE_MS) return ms;
  throw new SyntaxError(`max-age in "${text}" is more than ${writeDuration(MAX_DATAGRAM_AGE_MS)}; write less`);
}
