/**
 * Small things that the load generator and the services share.
 *
 * @module
 */

/** Size of reads and writes where throughput is measured without iperf3. */
export const BULK = 128 * 1024;

/** Reads until `into` is full. @returns false if the connection ended before. */
export async function readFull(conn: Deno.Conn, into: Uint8Array): Promise<boolean> {
  for (let fill = 0; fill < into.length;) {
    const count = await conn.read(fill === 0 ? into : into.subarray(fill));
    if (count === null) return false;
    fill += count;
  }
  return true;
}

/** Writes all of `bytes`. */
export async function writeFull(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = await conn.write(bytes); at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Where the load generator connects. */
export interface Door {
  /** The address. */
  readonly hostname: string;
  /** The port. */
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

/** Prints a line that the bench waits for. */
export function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

/** Closes what may be closed already. */
export function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed before.
  }
}
