/**
 * The PROXY protocol header in front of a connection, read within a deadline.
 *
 * @module
 */

import { MAX_PROXY_V2_HEADER, PROXY_HEADER_TIMEOUT_MS } from "../limits.ts";
import type { Address } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { Late, within } from "../../base/within.ts";
import { describeError } from "../../base/errors.ts";
import { ProxyHeaderReader } from "./header.ts";
import type { Connection } from "../socket.ts";

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

/**
 * Reads the header of either version, and not a byte of what follows it. When it fails, the connection is the caller's to
 * close.
 *
 * @returns whose the connection is; nothing if whoever sent the header speaks for itself or does not know.
 * @throws {ProxyHeaderCut} if it ended before; {SyntaxError} for anything else than a header; {Error} if there is none
 * within {@linkcode PROXY_HEADER_TIMEOUT_MS}: then the connection is reset; what the socket throws.
 */
export async function readProxyHeader(connection: Connection, clock: Clock): Promise<Address | undefined> {
  const reader = new ProxyHeaderReader();
  const buffer = new Uint8Array(MAX_PROXY_V2_HEADER);
  let bytes = 0;
  const read = async (): Promise<Address | undefined> => {
    for (;;) {
      const count = await connection.read(buffer.subarray(0, reader.wanted));
      if (count === null) throw new ProxyHeaderCut(bytes);
      bytes += count;
      const header = reader.feed(buffer.subarray(0, count));
      if (header) return header.source;
    }
  };
  try {
    return await within(clock, PROXY_HEADER_TIMEOUT_MS, () => connection.reset(), read);
  } catch (error) {
    if (error instanceof Late) throw new Error(`no PROXY protocol header within ${PROXY_HEADER_TIMEOUT_MS / 1000} s`);
    if (bytes === 0 && !(error instanceof ProxyHeaderCut)) throw new ProxyHeaderCut(0, error);
    throw error;
  }
}
