/**
 * The load generator, a process of its own: `load.ts KIND HOST PORT SECONDS COUNT`. Its last line is a JSON object of
 * figures.
 *
 * Kinds: `round-trips` (64 bytes there and back), `connections` (COUNT callers: connect, a byte there and back, close),
 * `idle` (COUNT clients that exchange a byte and stay until stdin ends); against the bulk service: `up` and `down` (COUNT
 * streams), `typing` (COUNT typists, each a message every 20 ms).
 *
 * @module
 */

import { bulkDown, bulkUp } from "./bulk.ts";
import { PATIENCE, Tally } from "./tally.ts";
import { typing } from "./typing.ts";
import { spread } from "../numbers.ts";
import { connectTo, type Door } from "../sockets.ts";
import type { Socket } from "../../net/socket.ts";
import { closeQuietly } from "../../tests/rig/close_quietly.ts";
import { readFull, writeAll } from "../../tests/rig/stream.ts";
import { say } from "../../tests/rig/say.ts";

/** What a load process reports; times in milliseconds. */
export interface LoadReport {
  /** Round trips, connections or bytes a second. */
  readonly rate: number;
  /** Bytes moved, where that was the point. */
  readonly bytes?: number;
  /** Connections made, where that was the point. */
  readonly count?: number;
  /** Median time of one. */
  readonly p50?: number;
  /** Time that 99 of 100 do not exceed. */
  readonly p99?: number;
  /** How many failed. */
  readonly failed: number;
  /** What the failures said, with their number. */
  readonly errors: Record<string, number>;
}

/** Milliseconds of round trips before measuring starts. */
const WARM_UP = 100;

/** Clients that are opened at once until all are there. */
const OPENERS = 8;

if (import.meta.main) {
  const [kind = "", hostname = "", port = "", seconds = "", count = ""] = Deno.args;
  const run = { "round-trips": roundTrips, connections, idle, up: bulkUp, down: bulkDown, typing }[kind];
  if (!run) throw new TypeError(`"${kind}" is no kind of load`);
  const report: LoadReport = await run({ hostname, port: Number(port) }, Number(seconds), Number(count));
  say(JSON.stringify(report));
  Deno.exit(0);
}

/** 64 bytes there and back, by `count` clients at once, one at a time each. */
async function roundTrips(door: Door, seconds: number, count: number): Promise<LoadReport> {
  const conns = await Promise.all(Array.from({ length: count }, () => connectTo(door)));
  const tally = new Tally();
  const times: number[] = [];
  const start = performance.now() + WARM_UP;
  const end = start + seconds * 1000;
  await Promise.all(conns.map(async (conn) => {
    const message = new Uint8Array(64).fill(7);
    const answer = new Uint8Array(64);
    try {
      for (let sent = performance.now(); sent < end;) {
        await conn.write(message);
        if (!await readFull(conn, answer)) throw new Error("closed before its answer");
        const now = performance.now();
        if (sent >= start && now <= end) times.push(now - sent);
        sent = now;
      }
    } catch (error) {
      tally.add(error);
    } finally {
      closeQuietly(conn);
    }
  }));
  return { rate: times.length / seconds, ...spread(times), ...tally };
}

/** New connections by `count` callers: connect, a byte there and back, close. */
async function connections(door: Door, seconds: number, count: number): Promise<LoadReport> {
  const tally = new Tally();
  const times: number[] = [];
  const open = new Set<Socket>();
  const start = performance.now();
  const end = start + seconds * 1000;
  let last = start;
  const giveUp = setTimeout(() => open.forEach(closeQuietly), seconds * 1000 + PATIENCE);
  await Promise.all(Array.from({ length: count }, async () => {
    const byte = Uint8Array.of(1);
    for (let since = performance.now(); since < end; since = performance.now()) {
      let conn: Socket | undefined;
      try {
        conn = await connectTo(door);
        open.add(conn);
        await conn.write(byte);
        if (!await readFull(conn, byte)) throw new Error("closed before its answer");
        last = performance.now();
        times.push(last - since);
      } catch (error) {
        tally.add(performance.now() > end + PATIENCE ? new Error("no answer in time") : error);
      } finally {
        if (conn) {
          open.delete(conn);
          closeQuietly(conn);
        }
      }
    }
  }));
  clearTimeout(giveUp);
  const rate = times.length / Math.max(seconds, (last - start) / 1000);
  return { rate, count: times.length, ...spread(times), ...tally };
}

/** Clients that have exchanged a byte and stay until stdin ends. */
async function idle(door: Door, _seconds: number, count: number): Promise<LoadReport> {
  const conns: Socket[] = [];
  const tally = new Tally();
  let left = count;
  await Promise.all(Array.from({ length: OPENERS }, async () => {
    while (left-- > 0) {
      const byte = Uint8Array.of(1);
      try {
        const conn = await connectTo(door);
        conns.push(conn);
        await writeAll(conn, byte);
        if (!await readFull(conn, byte)) throw new Error("closed before its answer");
      } catch (error) {
        tally.add(error);
      }
    }
  }));
  say(`ready ${count - tally.failed}`);
  for await (const _ of Deno.stdin.readable);
  conns.forEach(closeQuietly);
  return { rate: 0, ...tally };
}
