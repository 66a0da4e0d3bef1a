/**
 * What is fuzzed of datagrams on a channel, and what has to hold: a target throws if it does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DATAGRAM_POOL } from "../../net/limits.ts";
import { DatagramConnection } from "../../net/udp/connection.ts";
import { noDatagrams } from "../../net/udp/counts.ts";
import { DatagramPool } from "../../net/udp/queue.ts";
import { concat } from "../../protocol/bytes.ts";
import { MAX_DATAGRAM } from "../../protocol/v2/limits.ts";
import { RECORD_HEADER, RecordError, RecordReader, writeRecordHeader } from "../../protocol/v2/wire/records.ts";
import type { Random } from "../../tests/rig/random.ts";
import { chunksOf, mutated } from "./inputs.ts";
import { hex } from "./reference.ts";

function record(datagram: Uint8Array, stamp: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER + datagram.length);
  writeRecordHeader(bytes, 0, datagram.length, stamp);
  bytes.set(datagram, RECORD_HEADER);
  return bytes;
}

function someDatagram(random: Random): Uint8Array {
  return random.oneIn(50)
    ? new Uint8Array(MAX_DATAGRAM - random.upTo(3)).fill(7)
    : random.bytes(random.of(0, 1, 20, 200));
}

/** Records are read the same wherever they are cut; a size that no datagram has is the end. */
export function fuzzDatagramRecords(random: Random): void {
  const parts = Array.from({ length: random.upTo(8) }, () => record(someDatagram(random), random.upTo(2 ** 32 - 1)));
  const whole = concat(parts);
  const stream = random.oneIn(3) ? whole : mutated(random, whole, [0, 1, 5, 255]);
  const expected: string[] = [];
  let isWrong = false;
  for (let at = 0; at + 2 <= stream.length;) {
    const size = stream[at]! << 8 | stream[at + 1]!;
    if (at + RECORD_HEADER > stream.length) break;
    isWrong = size > MAX_DATAGRAM;
    const end = at + RECORD_HEADER + size;
    if (isWrong || end > stream.length) break;
    expected.push(`${hex(stream.subarray(at + 2, at + 6))} ${hex(stream.subarray(at + RECORD_HEADER, end))}`);
    at = end;
  }
  const told: string[] = [];
  const reader = new RecordReader((datagram, stamp) => {
    told.push(`${hex(Uint8Array.of(stamp >>> 24, stamp >>> 16, stamp >>> 8, stamp))} ${hex(datagram)}`);
  });
  let hasFailed = false;
  try {
    for (const chunk of chunksOf(random, stream)) reader.push(chunk);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    hasFailed = true;
  }
  assert.deepEqual(told, expected);
  if (!isWrong) assert(!hasFailed, "a good size was refused");
}

/** Of what comes in, all comes out at the other side, in its order and once, or is counted. */
export async function fuzzDatagrams(random: Random): Promise<void> {
  const time = { at: 0, now: () => time.at, wall: () => time.at };
  const pool = new DatagramPool();
  const got: number[] = [];
  const side = (counts = noDatagrams()) => ({
    counts,
    conn: new DatagramConnection({
      clock: time,
      maxAge: 200,
      pool,
      counts,
      send: (bytes) => {
        got.push(bytes.length < 4 ? -1 : new DataView(bytes.slice().buffer).getUint32(0));
        return random.oneIn(20) ? "lost" : "sent";
      },
      onClose: () => {},
    }),
  });
  const near = side();
  const far = side();
  const rest: Uint8Array[] = [];
  let given = 0;
  for (let step = random.upTo(60); step > 0; step--) {
    for (let count = random.of(0, 1, 3, 30); count > 0; count--) {
      const datagram = new Uint8Array(random.oneIn(9) ? random.upTo(MAX_DATAGRAM) : 4 + random.upTo(60));
      if (datagram.length >= 4) new DataView(datagram.buffer).setUint32(0, given);
      given++;
      near.conn.deliver(datagram);
    }
    time.at += random.of(0, 0, 20, 201);
    if (random.oneIn(3)) continue;
    const into = new Uint8Array(random.of(7, 64, 2_048, 65_536));
    const count = near.conn.read(into);
    if (typeof count !== "number") { // nothing is there; what it waits for is not of interest
      Promise.resolve(count).catch(() => {});
      break;
    }
    rest.push(into.slice(0, count));
  }
  for (const chunk of rest) far.conn.writeNow(chunk);
  const { received, overflowed, aged, unsent, oversized } = near.counts;
  assert.equal(received, given);
  assert.equal(unsent + oversized, 0);
  assert.deepEqual([near.conn.datagrams, far.conn.datagrams], [near.counts, far.counts], "counted twice, or not");
  assert(overflowed + aged <= given, "more are lost than there were");
  assert(got.length <= given - overflowed - aged, "more came out than went in");
  assert.equal(got.length, far.counts.sent + far.counts.unsent);
  const numbers = got.filter((number) => number >= 0);
  assert.deepEqual(numbers, [...new Set(numbers)].toSorted((a, b) => a - b), "out of their order");
  near.conn.close();
  far.conn.close();
  assert.equal(pool.free, DATAGRAM_POOL, "room was not given back");
  await Promise.resolve();
}
