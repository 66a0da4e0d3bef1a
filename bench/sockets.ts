/**
 * Small things that the load generator and the services share.
 *
 * @module
 */

/** Size of reads and writes where throughput is measured without iperf3. */
export const BULK = 128 * 1024;

/** Where the load generator connects. */
export interface Door {
  readonly hostname: string;
  readonly port: number;
}

/** Connects; small writes leave at once. */
export async function connectTo(door: Door): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ ...door });
  conn.setNoDelay(true);
  return conn;
}

/** What a client asks of the bulk service, see `service.ts`. */
export function wish(what: "u" | "d" | "e", seconds: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = what.charCodeAt(0);
  new DataView(bytes.buffer).setFloat64(1, seconds);
  return bytes;
}
