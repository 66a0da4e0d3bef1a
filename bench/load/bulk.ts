/**
 * The load generator's bulk transfers, against the bulk service; the receiving end counts.
 *
 * @module
 */

import type { LoadReport } from "./main.ts";
import { BULK, connectTo, type Door, wish } from "../sockets.ts";
import { closeQuietly } from "../../tests/rig/close_quietly.ts";
import { readFull, writeAll } from "../../tests/rig/stream.ts";
import { say } from "../../tests/rig/say.ts";

/** Printed by each stream when its first bytes have moved. */
export const FLOWING = "flowing";

/** `streams` connections send; the service counts. */
export function bulkUp(door: Door, seconds: number, streams: number): Promise<LoadReport> {
  return inParallel(streams, async () => {
    const conn = await connectTo(door);
    const answer = new Uint8Array(16);
    let reported = false;
    const report = readFull(conn, answer).then((whole) => reported = whole);
    await writeAll(conn, wish("u", seconds));
    const bytes = new Uint8Array(BULK);
    await writeAll(conn, bytes);
    say(FLOWING);
    while (!reported) await writeAll(conn, bytes);
    await report;
    closeQuietly(conn);
    const view = new DataView(answer.buffer);
    return { bytes: view.getFloat64(0), seconds: view.getFloat64(8) };
  });
}

/** `streams` connections receive and count. */
export function bulkDown(door: Door, seconds: number, streams: number): Promise<LoadReport> {
  return inParallel(streams, async () => {
    const conn = await connectTo(door);
    await writeAll(conn, wish("d", seconds));
    const buffer = new Uint8Array(BULK);
    let bytes = await conn.read(buffer) ?? 0;
    say(FLOWING);
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
