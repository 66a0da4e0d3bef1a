/**
 * The PROXY protocol header in front of a connection, read within a deadline.
 *
 * @module
 */

import { PROXY_HEADER_TIMEOUT_MS } from "../limits.ts";
import type { Address } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { Late, within } from "../../base/within.ts";
import { describeError } from "../../base/errors.ts";
import { PrefixedDuplex } from "../prefixed_duplex.ts";
import { ProxyHeaderReader } from "./header.ts";
import { resetQuietly } from "../reset.ts";
import type { Duplex } from "../transport.ts";

/** What whoever sends a header is to be told where none is taken. */
export const PROXY_HINT =
  "a load balancer sends that: name its network with --proxy-from, or proxy-from in the listener's section";

/** A connection ended in its header. */
export class ProxyHeaderCut extends Error {
  override readonly name = "ProxyHeaderCut";

  /** What had come of it. */
  readonly bytes: number;

  /** After `bytes` bytes; `cause` is what the socket threw, if it did. */
  constructor(bytes: number, cause?: unknown) {
    super(cause === undefined ? "it closed before its PROXY protocol header was whole" : describeError(cause), {
      cause,
    });
    this.bytes = bytes;
  }
}

/** Who is there, and the connection without its header. */
export interface Introduced {
  /** Whose the connection is; absent if whoever sent the header speaks for itself or does not know. */
  readonly source: Address | undefined;
  /** What follows the header. */
  readonly duplex: Duplex;
}

/**
 * Reads the header of either version. When it fails, the connection is the caller's to close.
 *
 * @throws {ProxyHeaderCut} if it ended before; {SyntaxError} for anything else than a header; {Error} if there is none
 * within {@linkcode PROXY_HEADER_TIMEOUT_MS}: then the connection is reset; what the socket throws.
 */
export async function readProxyHeader(duplex: Duplex, clock: Clock): Promise<Introduced> {
  const reader = new ProxyHeaderReader();
  const buffer = new Uint8Array(1024);
  let bytes = 0;
  const read = async (): Promise<Introduced> => {
    for (;;) {
      const count = await duplex.read(buffer);
      if (count === null) throw new ProxyHeaderCut(bytes);
      bytes += count;
      const header = reader.feed(buffer.subarray(0, count));
      if (!header) continue;
      return {
        source: header.source,
        duplex: header.rest.length > 0 ? new PrefixedDuplex(duplex, header.rest) : duplex,
      };
    }
  };
  try {
    return await within(clock, PROXY_HEADER_TIMEOUT_MS, () => resetQuietly(duplex), read);
  } catch (error) {
    if (error instanceof Late) throw new Error(`no PROXY protocol header within ${PROXY_HEADER_TIMEOUT_MS / 1000} s`);
    if (bytes === 0 && !(error instanceof ProxyHeaderCut)) throw new ProxyHeaderCut(0, error);
    throw error;
  }
}
