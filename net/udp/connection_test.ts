import assert from "node:assert/strict";
import fc from "fast-check";
import { RecordReader } from "../../protocol/v2/wire/records.ts";
import { MAX_DATAGRAM } from "../../protocol/v2/limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { DATAGRAM_BATCH, DATAGRAM_POOL, DATAGRAM_QUEUE, DATAGRAM_QUEUE_BYTES, DATAGRAM_WEIGHT } from "../limits.ts";
import { DatagramConnection } from "./connection.ts";
import { type DatagramCounts, noDatagrams } from "./counts.ts";
import { DatagramPool } from "./queue.ts";
import type { SendFate } from "./socket.ts";

const MAX_AGE = 200;
const noise = (size: number, value = size) => new Uint8Array(size).fill(value);

class Rig {
  readonly clock = new FakeClock();
  readonly counts: DatagramCounts;
  readonly sent: Uint8Array[] = [];
  closed = 0;
  fate: SendFate = "sent";
  readonly pool: DatagramPool;
  readonly conn: DatagramConnection;

  constructor(pool = new DatagramPool(), counts = noDatagrams()) {
    this.counts = counts;
    this.pool = pool;
    this.conn = new DatagramConnection({
      clock: this.clock,
      maxAge: MAX_AGE,
      pool,
      counts: this.counts,
      send: (bytes) => {
        this.sent.push(bytes.slice());
        return this.fate;
      },
      onClose: () => this.closed++,
    });
    this.conn.joined({ stamp: (at) => at, isLate: (stamp, maxAge) => this.clock.now() - stamp > maxAge });
  }

  /** What can be read now, in pieces of `room` bytes. */
  read(room = 65_528): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (;;) {
      const into = new Uint8Array(room);
      const count = this.conn.read(into);
      if (count instanceof Promise) {
        count.catch(() => {});
        return pieces;
      }
      if (count === null) return pieces;
      pieces.push(into.subarray(0, count));
    }
  }
}

function datagramsOf(pieces: readonly Uint8Array[]): Uint8Array[] {
  const all: Uint8Array[] = [];
  const reader = new RecordReader((bytes) => all.push(bytes.slice()));
  for (const piece of pieces) reader.push(piece);
  return all;
}

test("what is delivered is read as records, into whatever room there is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 3_000 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 9_000 }),
      (sizes, room) => {
        const rig = new Rig();
        const sent = sizes.map((size) => noise(size));
        for (const bytes of sent) rig.conn.deliver(bytes);
        assert.deepEqual(datagramsOf(rig.read(room)), sent);
        assert.equal(rig.pool.free, DATAGRAM_POOL);
      },
    ),
  );
});

test("one read has a batch at most, unless one datagram is larger", () => {
  const rig = new Rig();
  for (let n = 0; n < 20; n++) rig.conn.deliver(noise(1_000));
  rig.conn.deliver(noise(65_507));
  const pieces = rig.read();
  assert.ok(pieces.slice(0, -1).every(({ length }) => length <= DATAGRAM_BATCH));
  assert.equal(datagramsOf(pieces).length, 21);
});

test("who waits for a datagram gets it when it comes", async () => {
  const rig = new Rig();
  const into = new Uint8Array(100);
  const count = rig.conn.read(into);
  rig.conn.deliver(noise(3));
  assert.deepEqual(datagramsOf([into.subarray(0, (await count)!)]), [noise(3)]);
});

test("what waits is bounded in number and in bytes: the oldest goes, and is counted", () => {
  const many = new Rig();
  for (let n = 0; n < DATAGRAM_QUEUE + 10; n++) many.conn.deliver(noise(1, n));
  assert.equal(many.counts.overflowed, 10);
  assert.deepEqual(datagramsOf(many.read())[0], noise(1, 10));
  const large = new Rig();
  for (let n = 0; n < 20; n++) large.conn.deliver(noise(65_507, n));
  const fit = Math.floor(DATAGRAM_QUEUE_BYTES / (65_507 + DATAGRAM_WEIGHT));
  assert.equal(large.counts.overflowed, 20 - fit);
  assert.deepEqual(datagramsOf(large.read())[0], noise(65_507, 20 - fit));
});

test("clients that flood a service leave room for the others", () => {
  const pool = new DatagramPool();
  const floods = Array.from({ length: 40 }, () => new Rig(pool));
  for (let n = 0; n < 40; n++) for (const rig of floods) rig.conn.deliver(noise(65_507));
  assert.ok(pool.free > 0 && pool.free < DATAGRAM_POOL);
  const other = new Rig(pool);
  for (let n = 0; n < 20; n++) other.conn.deliver(noise(1_000));
  assert.equal(other.counts.overflowed, 0);
  for (const { conn } of [...floods, other]) conn.close();
  assert.equal(pool.free, DATAGRAM_POOL);
});

test("what waited for too long is not read, and is counted; nor is what comes too late sent", async () => {
  const rig = new Rig();
  const before = new Rig();
  rig.conn.deliver(noise(1));
  before.conn.deliver(noise(2));
  const records = before.read();
  await rig.clock.advance(MAX_AGE + 1);
  rig.conn.deliver(noise(3));
  assert.deepEqual(datagramsOf(rig.read()), [noise(3)]);
  assert.equal(rig.counts.aged, 1);
  for (const piece of records) assert.equal(rig.conn.write(piece), piece.length);
  assert.deepEqual([rig.sent, rig.counts.late], [[], 1]);
});

test("a refusal of one before is counted, and the datagram is sent all the same", () => {
  const rig = new Rig();
  const other = new Rig();
  other.conn.deliver(noise(4));
  rig.fate = "refused";
  for (const piece of other.read()) rig.conn.writeNow(piece);
  assert.equal(rig.sent.length, 2);
  assert.deepEqual([rig.counts.refused, rig.counts.sent, rig.counts.unsent], [1, 0, 1]);
});

test("what is too large is dropped, for a channel or for the way of the network, and counted as that", () => {
  const rig = new Rig();
  rig.conn.deliver(new Uint8Array(MAX_DATAGRAM + 1));
  assert.deepEqual([rig.read(), rig.counts.received, rig.counts.oversized], [[], 1, 1]);
  const other = new Rig();
  other.conn.deliver(noise(4));
  rig.fate = "oversized";
  for (const piece of other.read()) rig.conn.writeNow(piece);
  assert.deepEqual([rig.counts.oversized, rig.counts.sent, rig.counts.unsent], [2, 0, 0]);
});

test("each client has its own counts, and its service those of all", () => {
  const counts = noDatagrams();
  const first = new Rig(new DatagramPool(), counts);
  const second = new Rig(new DatagramPool(), counts);
  first.conn.deliver(noise(1));
  first.conn.deliver(noise(2));
  for (const piece of first.read()) second.conn.writeNow(piece);
  second.conn.refused();
  assert.deepEqual(first.conn.datagrams, { ...noDatagrams(), received: 2 });
  assert.deepEqual(second.conn.datagrams, { ...noDatagrams(), sent: 2, refused: 1 });
  assert.deepEqual(counts, { ...noDatagrams(), received: 2, sent: 2, refused: 1 });
});

test("garbage fails the write, and an end of the other side ends the reading", async () => {
  const rig = new Rig();
  await assert.rejects(async () => await rig.conn.write(noise(6, 0xff)), /65535 bytes/);
  const reading = rig.conn.read(new Uint8Array(10));
  await rig.conn.closeWrite();
  assert.equal(await reading, null);
  rig.conn.close();
  rig.conn.reset();
  assert.equal(rig.closed, 1);
  await assert.rejects(async () => await rig.conn.read(new Uint8Array(10)), Deno.errors.BadResource);
});
