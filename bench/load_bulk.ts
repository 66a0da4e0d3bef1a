/**
 * The load generator's bulk transfers, against the bulk service; the receiving end counts.
 *
 * @module
 */

import type { LoadReport } from "./load.ts";
import { BULK, closeQuietly, connectTo, readFull, writeFull } from "./sockets.ts";

/** `streams` connections send; the service counts. */
export function bulkUp(port: number, seconds: number, streams: number): Promise<LoadReport> {
  return inParallel(streams, async () => {
    const conn = await connectTo(port);
    const answer = new Uint8Array(16);
    let reported = false;
    const report = readFull(conn, answer).then((whole) => reported = whole);
    await writeFull(conn, wish("u", seconds));
    const bytes = new Uint8Array(BULK);
    while (!reported) await writeFull(conn, bytes);
    await report;
    closeQuietly(conn);
    const view = new DataView(answer.buffer);
    return { bytes: view.getFloat64(0), seconds: view.getFloat64(8) };
  });
}

/** `streams` connections receive and count. */
export function bulkDown(port: number, seconds: number, streams: number): Promise<LoadReport> {
  return inParallel(streams, async () => {
    const conn = await connectTo(port);
    await writeFull(conn, wish("d", seconds));
    const buffer = new Uint8Array(BULK);
    let bytes = await conn.read(buffer) ?? 0;
    const start = performance.now();
    let elapsed = 0;
    while (elapsed < seconds) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error("closed before the time was up");
      bytes += count;
      elapsed = (performance.now() - start) / 1000;
    }
    closeQuietly(conn);
    return { bytes, seconds: elapsed };
  });
}

async function inParallel(
  streams: number,
  one: () => Promise<{ bytes: number; seconds: number }>,
): Promise<LoadReport> {
  const results = await Promise.all(Array.from({ length: streams }, one));
  const rate = results.reduce((sum, { bytes, seconds }) => sum + bytes / seconds, 0);
  return { rate, bytes: results.reduce((sum, { bytes }) => sum + bytes, 0), failed: 0, errors: {} };
}

function wish(what: "u" | "d", seconds: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = what.charCodeAt(0);
  new DataView(bytes.buffer).setFloat64(1, seconds);
  return bytes;
}
