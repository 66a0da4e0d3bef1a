import assert from "node:assert/strict";
import fc from "fast-check";
import { unhex } from "../../../tests/rig/bytes.ts";
import { test } from "../../../tests/rig/test.ts";
import { concat } from "../../bytes.ts";
import { MAX_DATAGRAM, V2_HEADER_SIZE } from "../limits.ts";
import { listenFrame, readListen } from "./messages.ts";
import { RECORD_HEADER, RecordError, RecordReader, RecordTally, writeRecordHeader } from "./records.ts";

interface Record {
  readonly bytes: Uint8Array;
  readonly stamp: number;
}

function encode({ bytes, stamp }: Record): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER + bytes.length);
  writeRecordHeader(record, 0, bytes.length, stamp);
  record.set(bytes, RECORD_HEADER);
  return record;
}

function decode(chunks: readonly Uint8Array[]): Record[] {
  const records: Record[] = [];
  const reader = new RecordReader((bytes, stamp) => records.push({ bytes: bytes.slice(), stamp }));
  for (const chunk of chunks) reader.push(chunk);
  return records;
}

const record = fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), stamp: fc.nat({ max: 2 ** 32 - 1 }) }, {
  noNullPrototype: true,
});

test("datagrams come out as they went in, wherever the stream is split", () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 6 }), (records) => {
    const stream = concat(records.map(encode));
    for (let at = 0; at <= stream.length; at++) {
      assert.deepEqual(decode([stream.subarray(0, at), stream.subarray(at)]), records);
    }
    assert.deepEqual(decode([...stream].map((byte) => Uint8Array.of(byte))), records);
  }));
});

test("the bytes of datagrams are counted without their headers, wherever the stream is split", () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 6 }), fc.nat({ max: 9 }), (records, headroom) => {
    const stream = concat([new Uint8Array(headroom).fill(0xff), ...records.map(encode)]);
    const size = records.reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (let at = headroom; at <= stream.length; at++) {
      const tally = new RecordTally();
      tally.add(stream, headroom, at);
      tally.add(stream, at, stream.length);
      assert.equal(tally.bytes, size);
    }
    const bytewise = new RecordTally();
    for (let at = headroom; at < stream.length; at++) bytewise.add(stream, at, at + 1);
    assert.equal(bytewise.bytes, size);
  }));
});

test("the largest datagram is taken, and one byte more ends the stream", () => {
  const bytes = new Uint8Array(MAX_DATAGRAM).fill(7);
  assert.deepEqual(decode([encode({ bytes, stamp: 1 })]), [{ bytes, stamp: 1 }]);
  const header = new Uint8Array(RECORD_HEADER);
  writeRecordHeader(header, 0, MAX_DATAGRAM + 1, 0);
  assert.throws(() => decode([header]), RecordError);
});

test("whatever comes, there are datagrams or one error, and no more is kept than one datagram", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    const tally = new RecordTally();
    for (const chunk of chunks) tally.add(chunk, 0, chunk.length);
    assert.ok(tally.bytes <= size);
    try {
      const records = decode(chunks);
      const told = records.reduce((sum, { bytes }) => sum + RECORD_HEADER + bytes.length, 0);
      assert.ok(told <= size);
    } catch (error) {
      assert.ok(error instanceof RecordError);
    }
  }));
});

test("the bytes of the specification are what is written and read", async () => {
  const text = await Deno.readTextFile(new URL("../v2.md", import.meta.url));
  const [listen, data] = [...text.matchAll(/^# (?:LISTEN: number 7|DATA of channel 1: a datagram).*\n(.*)$/gm)]
    .map(([, line]) => unhex(line!.replaceAll(/\s+/g, " ")));
  const offer = { number: 7, offered: true, name: "snmp", datagrams: true } as const;
  assert.deepEqual(listenFrame([offer]), listen);
  assert.deepEqual(readListen(listen!.subarray(V2_HEADER_SIZE)), [offer]);
  const records = [
    { bytes: new TextEncoder().encode("abc"), stamp: 1_500 },
    { bytes: new Uint8Array(0), stamp: 1_501 },
  ];
  assert.deepEqual(concat(records.map(encode)), data!.subarray(V2_HEADER_SIZE));
  assert.deepEqual(decode([data!.subarray(V2_HEADER_SIZE)]), records);
});

test("who knows nothing of UDP offers as before", () => {
  const offer = { number: 7, offered: true, name: "snmp" };
  assert.deepEqual(listenFrame([offer])[V2_HEADER_SIZE + 2], 1);
  assert.deepEqual(readListen(listenFrame([offer]).subarray(V2_HEADER_SIZE)), [offer]);
});
