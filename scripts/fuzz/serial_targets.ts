/**
 * What is fuzzed of telnet and RFC 2217, and what has to hold: a target throws if it does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { concat } from "../../protocol/bytes.ts";
import { MAX_SUBNEGOTIATION } from "../../serial/limits.ts";
import { Command, comPortRequest, readComPort } from "../../serial/rfc2217/com_port.ts";
import { Negotiation } from "../../serial/rfc2217/negotiation.ts";
import { TelnetReader } from "../../serial/rfc2217/telnet.ts";
import { TelnetWriter } from "../../serial/rfc2217/telnet_writer.ts";
import type { Random } from "../../tests/rig/random.ts";
import { chunksOf, mutated } from "./inputs.ts";
import { hex, joinData } from "./reference.ts";

const [IAC, SE, SB, CR] = [255, 240, 250, 13];
/** Bytes that mean something. */
const TELLING = [IAC, SE, SB, 251, 252, 253, 254, CR, 0, 10, 44, 1, 243, 246] as const;

/** What a client says: data, options, commands of RFC 2217, and what is none. */
function telnetStream(random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let count = random.upTo(12); count > 0; count--) {
    switch (random.upTo(5)) {
      case 0:
        parts.push(Uint8Array.of(IAC, 251 + random.upTo(3), random.of(0, 1, 3, 44, random.upTo(255))));
        break;
      case 1:
        parts.push(comPortRequest(random.upTo(Command.PURGE_DATA + 1), random.bytes(random.of(0, 1, 4, 5))));
        break;
      case 2:
        parts.push(comPortRequest(Command.SIGNATURE, random.bytes(random.of(0, 20, MAX_SUBNEGOTIATION, 300))));
        break;
      case 3:
        parts.push(Uint8Array.of(IAC, random.of(...TELLING)));
        break;
      default:
        parts.push(random.bytes(random.upTo(40), random.of(255, 13)));
    }
  }
  const stream = concat(parts);
  return random.oneIn(3) ? stream : mutated(random, stream, TELLING);
}

/** Telnet is read the same wherever it is cut, and as one byte after the other would be. */
export function fuzzTelnet(random: Random): void {
  const stream = telnetStream(random);
  const binary = random.oneIn(2);
  const reader = new TelnetReader();
  reader.binary = binary;
  const negotiation = new Negotiation([0, 1, 3, 44], [0, 3, 44]);
  const told: string[] = [];
  for (const chunk of chunksOf(random, stream)) {
    for (let at = 0;;) {
      const event = reader.next(chunk, at);
      assert(reader.at >= at && reader.at <= chunk.length, "it goes back");
      at = reader.at;
      if (!event) break;
      if (event.type === "data") told.push(`data 0 ${hex(event.bytes)}`);
      else if (event.type === "command") told.push(`command ${event.code}`);
      else if (event.type === "negotiation") {
        told.push(`option ${event.verb} ${event.option}`);
        assert(negotiation.take(event.verb, event.option).length <= 3, "more than one answer");
      } else {
        assert(event.payload.length <= MAX_SUBNEGOTIATION, "a long subnegotiation");
        told.push(`sub ${event.option} ${hex(event.payload)}`);
        if (event.option === 44) judge(event.payload);
      }
    }
  }
  assert.deepEqual(joinData(told), joinData([...slowly(stream, binary)]));
}

function judge(payload: Uint8Array): void {
  const request = readComPort(payload);
  if (!request) return;
  assert(request.command <= Command.PURGE_DATA && request.value >= 0 && request.value < 2 ** 32, "no such request");
}

/** Telnet, read one byte after the other. */
function* slowly(stream: Uint8Array, binary: boolean): Generator<string> {
  let padded = false; // behind a carriage return
  for (let at = 0; at < stream.length;) {
    const byte = stream[at++]!;
    if (byte !== IAC) {
      if (!(padded && byte === 0)) yield `data 0 ${hex(Uint8Array.of(byte))}`;
      padded = !binary && byte === CR;
      continue;
    }
    padded = false;
    const verb = stream[at++];
    if (verb === undefined) return;
    if (verb === IAC) yield `data 0 ${hex(Uint8Array.of(IAC))}`;
    else if (verb < SB) yield `command ${verb}`;
    else {
      const option = stream[at++];
      if (option === undefined) return;
      if (verb !== SB) {
        yield `option ${verb} ${option}`;
        continue;
      }
      const payload: number[] = [];
      for (;; at++) {
        if (at >= stream.length) return;
        if (stream[at] !== IAC) payload.push(stream[at]!);
        else if (stream[at + 1] === IAC) payload.push(stream[++at]!);
        else break;
      }
      if (at + 1 >= stream.length) return;
      if (stream[at + 1] !== SE) continue; // a command of its own begins here
      at += 2;
      if (payload.length <= MAX_SUBNEGOTIATION) yield `sub ${option} ${hex(Uint8Array.from(payload))}`;
    }
  }
}

/** What is written comes out as it was, whatever the room is for it. */
export function fuzzTelnetWriter(random: Random): void {
  const data = random.bytes(random.upTo(200), random.of(255, 13)).map((byte) => random.oneIn(8) ? 255 : byte);
  const writer = new TelnetWriter();
  const reader = new TelnetReader();
  writer.binary = reader.binary = random.oneIn(2);
  const got: number[] = [];
  for (let from = 0; from < data.length || writer.isAmid;) {
    const room = new Uint8Array(1 + random.upTo(20));
    const end = writer.write(data.subarray(from), room, 0);
    assert(end > 0, "it stands still");
    from += writer.taken;
    for (let at = 0;;) {
      const event = reader.next(room.subarray(0, end), at);
      at = reader.at;
      if (!event) break;
      assert(event.type === "data", `${event.type} in data`);
      got.push(...event.bytes);
    }
  }
  assert.deepEqual(got, [...data]);
}
