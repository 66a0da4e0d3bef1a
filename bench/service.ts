/**
 * The services behind the relays, a process of its own: `service.ts echo` or `service.ts bulk`. Prints its port.
 *
 * The bulk service stands in for iperf3. A client says in 9 bytes what it wants: `u` (it sends, the service counts) or
 * `d` (the service sends), and for how many seconds, as a float64. After that time, counted from the first byte on, the
 * service of an `u` answers with the bytes and the seconds, a float64 each: v1 has no half-close that could say it.
 *
 * @module
 */

import { BULK, closeQuietly, readFull, writeFull } from "./sockets.ts";

if (import.meta.main) {
  const serve = Deno.args[0] === "bulk" ? bulk : echo;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  Deno.stdout.writeSync(new TextEncoder().encode(`port ${listener.addr.port}\n`));
  for await (const conn of listener) {
    conn.setNoDelay(true);
    serve(conn).catch(() => {}).finally(() => closeQuietly(conn)); // a client may leave when it likes
  }
}

async function echo(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    await writeFull(conn, buffer.subarray(0, count));
  }
}

async function bulk(conn: Deno.Conn): Promise<void> {
  const wish = new Uint8Array(9);
  if (!await readFull(conn, wish)) return;
  const seconds = new DataView(wish.buffer).getFloat64(1);
  if (wish[0] === "u".charCodeAt(0)) await sink(conn, seconds);
  else await source(conn);
}

async function sink(conn: Deno.Conn, seconds: number): Promise<void> {
  const buffer = new Uint8Array(BULK);
  let bytes = await conn.read(buffer) ?? 0;
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < seconds) {
    const count = await conn.read(buffer);
    if (count === null) return;
    bytes += count;
    elapsed = (performance.now() - start) / 1000;
  }
  const report = new DataView(new ArrayBuffer(16));
  report.setFloat64(0, bytes);
  report.setFloat64(8, elapsed);
  await writeFull(conn, new Uint8Array(report.buffer));
  while (await conn.read(buffer) !== null); // until the client has seen it
}

async function source(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(BULK);
  while (true) await writeFull(conn, buffer);
}
