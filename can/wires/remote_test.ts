/**
 * Versions 4 and 5 of the remote interface, against bytes that the originals have made.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { EXTENDED, FD, KIND_BIT } from "../frame.ts";
import { concat } from "../../protocol/bytes.ts";
import { test } from "../../tests/rig/test.ts";
import { RemoteWire } from "./remote.ts";
import {
  anyFrame,
  bytes,
  errorFrame,
  frame,
  fuzz,
  hexOf,
  remoteFrame,
  requests,
  sameAtEverySplit,
  written,
} from "./_wire_fixture_test.ts";

const OPEN4 = bytes("01 04 0001e848 0a01 00000012 000000ff");
const OPEN5 = bytes("01 05 0007a120 0a00");
const make = () => new RemoteWire();

/** Requests behind an opening. */
function behind(open: Uint8Array, text: string) {
  return sameAtEverySplit(make, concat([open, bytes(text)])).slice(1);
}

test("the opening of either version is read, with its bitrate and its filters", () => {
  assert.deepEqual(sameAtEverySplit(make, OPEN4), [{
    type: "open",
    filters: [{ id: 0x12, mask: 0xff }],
    bitrate: 125_000,
  }]);
  const wire = make();
  assert.deepEqual(requests(wire, [OPEN5]), [{ type: "open", filters: [], bitrate: 500_000 }]);
  assert.equal(wire.name, "remote-v5");
});

test("filters of version 5 may say which kind of id counts", () => {
  const start = bytes("01 05 0007a120");
  const [both] = requests(make(), [start, bytes("0a02 80012345 9fffffff 00000123 800007ff")]);
  assert.deepEqual(both, {
    type: "open",
    bitrate: 500_000,
    filters: [{ id: 0x8001_2345, mask: 0x9fff_ffff }, { id: 0x123, mask: (0x7ff | KIND_BIT) >>> 0 }],
  });
  const [kindless] = requests(make(), [start, bytes("0a02 00000123 00000fff 00000001 0000000f")]);
  assert.deepEqual(kindless, {
    type: "open",
    bitrate: 500_000,
    filters: [{ id: 0x123, mask: 0xfff }, { id: 1, mask: 0xf }],
  });
});

test("frames are read and written as the originals do", () => {
  const golden = [
    ["03 41d5eb22b083f9d8 00000100 04 00 0102030400000000", frame(0x100, [1, 2, 3, 4], 0, 1470925506.0621243)],
    ["03 0000000000000000 00abcdef 08 01 ffffffffffffffff", frame(0xabcdef, new Array(8).fill(255), EXTENDED)],
    ["03 0000000000000000 00000123 08 02 0000000000000000", remoteFrame(0x123, 8)],
    ["03 0000000000000000 00000000 00 04 0000000000000000", errorFrame],
    ["03 0000000000000000 000007ff 00 00 0000000000000000", frame(0x7ff)],
  ] as const;
  for (const [text, frame] of golden) {
    assert.equal(hexOf(written(make(), frame)), text.replaceAll(" ", ""));
    assert.deepEqual(behind(OPEN4, text), [{ type: "frame", frame }]);
  }
  assert.equal(written(make(), frame(1, [1], FD)).length, 0, "CAN FD has no words here");
});

test("periodic frames start in the layout of their version, change and stop", () => {
  const data = [1, 2, 3, 4, 5, 6, 7, 8];
  const start = { type: "periodic-start", key: "291", frame: frame(0x123, data), period: 10, duration: 0 };
  assert.deepEqual(behind(OPEN4, "07 3f847ae147ae147b 00000123 08 00 0102030405060708"), [start]);
  assert.deepEqual(behind(OPEN5, "07 0000000a 00000000 00000123 08 00 0102030405060708"), [start]);
  assert.deepEqual(behind(OPEN4, "09 0000000000000000 00000123 02 00 0908000000000000"), [
    { type: "periodic-start", key: "291", frame: frame(0x123, [9, 8]), period: 0, duration: 0 },
  ]);
  assert.deepEqual(behind(OPEN4, "08 00000123"), [{ type: "periodic-stop", key: "291" }]);
});

test("a client of version 4 that only sends may begin with its task", () => {
  const [first, second] = sameAtEverySplit(make, bytes("07 3f847ae147ae147b 00000123 01 00 0100000000000000"));
  assert.deepEqual(first, { type: "open" });
  assert.equal(typeof second === "object" && second.type, "periodic-start");
});

test("what this side says is what the originals say", () => {
  const wire = make();
  assert.equal(
    hexOf(wire.opened("Virtual bus channel 0")),
    "02155669727475616c20627573206368616e6e656c2030",
  );
  assert.equal(hexOf(wire.refused("This is an error").bytes), "06105468697320697320616e206572726f72");
  assert.equal(hexOf(wire.refused("no such channel").bytes), "060f6e6f2073756368206368616e6e656c");
  assert.equal(hexOf(wire.notSent()), "05");
  assert.equal(wire.refused("x".repeat(300)).bytes.length, 257);
  const cut = wire.refused("ä".repeat(200)).bytes;
  assert.equal(cut[1], 254, "no character is cut in two");
});

test("another version, another event and another order end the client", () => {
  assert.match(String(requests(make(), [bytes("0163000000000a00")])[0]), /version 99/);
  assert.match(String(requests(make(), [bytes("0a00")])[0]), /opening/);
  assert.match(String(requests(make(), [bytes("01040007a120 05")])[0]), /filters/);
  assert.match(String(behind(OPEN4, "0b")[0]), /no event 11/);
  assert.deepEqual(behind(OPEN4, "ff").map((request) => typeof request === "object" && request.type), ["end"]);
});

test("a frame that cannot be is refused, and those behind it count", () => {
  const [wrong, right] = behind(
    OPEN4,
    "03 0000000000000000 00000123 09 00 0000000000000000 03 0000000000000000 00000123 01 00 0700000000000000",
  );
  assert.equal(typeof wrong === "object" && wrong.type, "mistake");
  assert.deepEqual(right, { type: "frame", frame: frame(0x123, [7]) });
});

test("every frame comes back as it was written", () => {
  fc.assert(fc.property(anyFrame(false), (frame) => {
    const [, back] = requests(make(), [OPEN4, written(make(), frame)]);
    assert.deepEqual(back, { type: "frame", frame });
  }));
});

test("hostile bytes do nothing but end the client", () => {
  fuzz(make, new Uint8Array());
  fuzz(make, OPEN4);
  fuzz(make, OPEN5);
});
