/**
 * The services behind the relays, a process of its own: `service.ts echo` or `service.ts bulk`, at an address if one
 * follows. Prints its port.
 *
 * The bulk service stands in for iperf3. A client says in 9 bytes what it wants: `u` (it sends, the service counts),
 * `d` (the service sends) or `e` (an echo), and for how many seconds, as a float64. After that time, counted from the
 * first byte on, the service of an `u` answers with the bytes and the seconds, a float64 each: v1 has no half-close that
 * could say it. When a `u` or `d` has ended, the service prints so.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { BULK, engine } from "./sockets.ts";
import type { Socket } from "../net/socket.ts";
import { closeQuietly } from "../tests/rig/close_quietly.ts";
import { readFull, writeAll } from "../tests/rig/stream.ts";
import { say } from "../tests/rig/say.ts";

/** Printed at the end of each bulk transfer. */
export const BULK_ENDED = "bulk transfer ended";

if (import.meta.main) {
  const serve = Deno.args[0] === "bulk" ? bulk : echo;
  const listener = engine.listen({ host: Deno.args[1] ?? "127.0.0.1", port: 0 });
  say(`port ${listener.address.port}`);
  for (;;) {
    const conn = await listener.accept();
    serve(conn).catch(() => {}).finally(() => closeQuietly(conn)); // a client may leave when it likes
  }
}

async function echo(conn: Socket): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    await writeAll(conn, buffer.subarray(0, count));
  }
}

async function bulk(conn: Socket): Promise<void> {
  const wish = new Uint8Array(9);
  if (!await readFull(conn, wish)) return;
  const seconds = new DataView(wish.buffer).getFloat64(1);
  const kind = String.fromCharCode(wish[0]!);
  if (kind === "e") return await echo(conn);
  try {
    if (kind === "u") await sink(conn, seconds);
    else await source(conn);
  } finally {
    say(BULK_ENDED);
  }
}

async function sink(conn: Socket, seconds: number): Promise<void> {
  const buffer = new Uint8Array(BULK);
  let bytes = await conn.read(buffer) ?? 0;
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < seconds) {
    await turn();
    const count = await conn.read(buffer);
    if (count === null) return;
    bytes += count;
    elapsed = (performance.now() - start) / 1000;
  }
  const report = new DataView(new ArrayBuffer(16));
  report.setFloat64(0, bytes);
  report.setFloat64(8, elapsed);
  await writeAll(conn, new Uint8Array(report.buffer));
  while (await conn.read(buffer) !== null) await turn(); // until the client has seen it
}

async function source(conn: Socket): Promise<void> {
  const buffer = new Uint8Array(BULK);
  while (true) {
    await writeAll(conn, buffer);
    await turn();
  }
}

/** Lets the others have their turn: a socket that is always ready would keep an echo waiting, and not because of a relay. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
