/**
 * Telnet, read and written: split anywhere, and out of hostile hands.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { MAX_SUBNEGOTIATION } from "../limits.ts";
import { Command, comPortAnswer, comPortRequest, readComPort } from "./com_port.ts";
import { Negotiation } from "./negotiation.ts";
import { BINARY, COM_PORT, DO, DONT, ECHO, SGA, subnegotiation, TelnetReader, WILL, WONT } from "./telnet.ts";
import { TelnetWriter } from "./telnet_writer.ts";

/** What chunks are read as: data as one, everything else as a line. */
function read(chunks: readonly Uint8Array[], binary = false): { data: number[]; said: string[] } {
  const reader = new TelnetReader();
  reader.binary = binary;
  const data: number[] = [];
  const said: string[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at = reader.at) {
      const event = reader.next(chunk, at);
      assert.ok(reader.at > at && reader.at <= chunk.length, "it goes on");
      switch (event?.type) {
        case "data":
          data.push(...event.bytes);
          break;
        case "negotiation":
          said.push(`${event.verb} ${event.option} at ${data.length}`);
          break;
        case "subnegotiation":
          said.push(`sub ${event.option} ${event.payload.toHex()} at ${data.length}`);
          break;
        case "command":
          said.push(`command ${event.code} at ${data.length}`);
      }
    }
  }
  return { data, said };
}

/** Bytes among which those that mean something are frequent. */
const anyTelnet = fc.uint8Array({ maxLength: 200 }).chain((bytes) =>
  fc.array(fc.constantFrom(255, 255, 250, 240, 253, 13, 0, 44), { minLength: bytes.length, maxLength: bytes.length })
    .chain((marks) =>
      fc.array(fc.boolean(), { minLength: bytes.length, maxLength: bytes.length }).map((which) =>
        bytes.map((byte, at) => which[at] ? marks[at]! : byte)
      )
    )
);

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index]!, end));
}

test("whatever comes is read the same, wherever it is split", () => {
  fc.assert(fc.property(anyTelnet, fc.array(fc.nat(200), { maxLength: 8 }), fc.boolean(), (bytes, cuts, binary) => {
    const whole = read([bytes], binary);
    assert.deepEqual(read(split(bytes, cuts), binary), whole);
    assert.deepEqual(read(split(bytes, bytes.keys().toArray()), binary), whole);
  }));
});

test("what is written is read as it was, through buffers of any size, binary or not", () => {
  fc.assert(fc.property(anyTelnet, fc.integer({ min: 1, max: 9 }), fc.boolean(), (bytes, size, binary) => {
    const writer = new TelnetWriter();
    writer.binary = binary;
    const chunks: Uint8Array[] = [];
    for (let rest = bytes; rest.length > 0 || writer.isAmid; rest = rest.subarray(writer.taken)) {
      const chunk = new Uint8Array(size);
      const end = writer.write(rest, chunk, 0);
      assert.ok(end > 0);
      chunks.push(chunk.subarray(0, end));
    }
    assert.deepEqual(read(chunks, binary), { data: [...bytes], said: [] });
  }));
});

test("a carriage return is padded, and unpadded, unless both sides are binary", () => {
  const writer = new TelnetWriter();
  const into = new Uint8Array(16);
  const end = writer.write(Uint8Array.of(65, 13, 66, 13, 10, 255), into, 0);
  assert.equal(into.subarray(0, end).toHex(), "410d00420d0affff");
  assert.deepEqual(read([into.subarray(0, end)]).data, [65, 13, 66, 13, 10, 255]);
  assert.deepEqual(read([into.subarray(0, end)], true).data, [65, 13, 0, 66, 13, 10, 255]);
});

test("a subnegotiation that is too long counts for nothing, and what follows does", () => {
  const long = new Uint8Array(MAX_SUBNEGOTIATION + 1);
  const fits = new Uint8Array(MAX_SUBNEGOTIATION);
  assert.deepEqual(read([subnegotiation(44, long), Uint8Array.of(65)]), { data: [65], said: [] });
  assert.equal(read([subnegotiation(44, fits)]).said.length, 1);
  const endless = new Uint8Array(100_000).fill(7);
  assert.deepEqual(read([Uint8Array.of(255, 250, 44), endless, Uint8Array.of(255, 240, 66)]).data, [66]);
});

test("one without an end ends where something else begins", () => {
  assert.deepEqual(read([Uint8Array.of(255, 250, 44, 1, 2, 255, 253, 3, 65)]), { data: [65], said: ["253 3 at 0"] });
});

test("commands of RFC 2217 are the bytes of its text", () => {
  assert.equal(comPortRequest(Command.SET_BAUDRATE, [0, 0, 0x25, 0x80]).toHex(), "fffa2c0100002580fff0");
  assert.equal(comPortAnswer(Command.SET_BAUDRATE, [0, 0, 0x25, 0x80]).toHex(), "fffa2c6500002580fff0");
  assert.equal(comPortAnswer(Command.SET_MODEMSTATE_MASK, [255]).toHex(), "fffa2c6ffffffff0"); // an IAC, twice
  assert.equal(comPortRequest(Command.SIGNATURE).toHex(), "fffa2c00fff0");
  assert.equal(readComPort(Uint8Array.of(1, 0, 1, 0xc2, 0))?.value, 115_200);
  assert.equal(readComPort(Uint8Array.of(1, 255, 255, 255, 255))?.value, 4_294_967_295);
  assert.equal(readComPort(Uint8Array.of(8))?.command, Command.FLOWCONTROL_SUSPEND);
  for (const bad of [[], [1, 0, 0, 1], [2], [5, 1, 1], [13, 0], [101, 0, 0, 0, 1], [8, 0], [12]]) {
    assert.equal(readComPort(Uint8Array.from(bad)), undefined, String(bad));
  }
});

test("options are agreed on once, and nobody is answered in a circle", () => {
  const both = new Negotiation([SGA, ECHO, BINARY, COM_PORT], [SGA, BINARY, COM_PORT]);
  assert.equal(both.opening([COM_PORT]).toHex(), "fffb03fffb01fffb00fffd03fffd00fffd2c");
  assert.equal(both.opening([COM_PORT]).length, 0);
  for (const [verb, option] of [[DO, SGA], [WILL, BINARY], [DO, BINARY], [DO, SGA]] as const) {
    assert.equal(both.take(verb, option).length, 0); // it was asked for
  }
  assert.ok(both.does(SGA) && both.does(BINARY) && both.has(BINARY) && !both.has(COM_PORT));
  assert.equal(both.take(DO, COM_PORT).toHex(), "fffb2c");
  assert.equal(both.take(DO, COM_PORT).length, 0);
  assert.equal(both.take(DONT, BINARY).toHex(), "fffc00");
  assert.equal(both.take(DONT, BINARY).length, 0);
  assert.equal(both.take(WONT, SGA).length, 0); // it was asked for, and refused
  assert.equal(both.take(DO, 31).toHex(), "fffc1f");
  assert.equal(both.take(WILL, 24).toHex(), "fffe18");
  assert.equal(both.take(WONT, 24).length + both.take(DONT, 31).length, 0);
});

test("two sides that ask for what they like come to rest, and agree", () => {
  const some = fc.subarray([BINARY, ECHO, SGA, COM_PORT]);
  fc.assert(fc.property(some, some, some, some, fc.boolean(), (a, b, c, d, bothAsk) => {
    const [one, two] = [new Negotiation(a, b), new Negotiation(c, d)];
    let toTwo = [...one.opening()];
    let toOne = bothAsk ? [...two.opening()] : [];
    const answers = (side: Negotiation, bytes: number[]) => {
      const said: number[] = [];
      for (let at = 0; at < bytes.length; at += 3) said.push(...side.take(bytes[at + 1]!, bytes[at + 2]!));
      return said;
    };
    for (let rounds = 0; toOne.length + toTwo.length > 0; rounds++) {
      assert.ok(rounds < 4, "it rests");
      [toTwo, toOne] = [answers(one, toOne), answers(two, toTwo)];
    }
    for (const option of [BINARY, ECHO, SGA, COM_PORT]) {
      assert.equal(one.does(option), two.has(option));
      assert.equal(one.does(option), a.includes(option) && d.includes(option));
    }
  }));
});
