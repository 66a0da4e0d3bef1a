/**
 * Small things about sockets that the load generator and the services share.
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

/** Connects to a port of this host; small writes leave at once. */
export async function connectTo(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return conn;
}

/** Closes what may be closed already. */
export function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed before.
  }
}
