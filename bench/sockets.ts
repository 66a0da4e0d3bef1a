/**
 * Small things that the load generator and the services share.
 *
 * @module
 */

import { startEngine } from "../net/engines.ts";
import type { Engine, Socket } from "../net/socket.ts";
import { silentLogger } from "../base/logger.ts";

/** What the load generator and the services stand on: what they cost is taken from the relays. */
export const engine: Engine = startEngine("auto", silentLogger);

const never = new AbortController().signal;

/** Size of reads and writes where throughput is measured without iperf3. */
export const BULK = 128 * 1024;

/** Where the load generator connects. */
export interface Door {
  readonly hostname: string;
  readonly port: number;
}

/** Connects; small writes leave at once. */
export function connectTo({ hostname, port }: Door): Promise<Socket> {
  return engine.connect({ host: hostname, port }, { signal: never });
}

/** What a client asks of the bulk service, see `service.ts`. */
export function wish(what: "u" | "d" | "e", seconds: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = what.charCodeAt(0);
  new DataView(bytes.buffer).setFloat64(1, seconds);
  return bytes;
}
