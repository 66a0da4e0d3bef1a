/**
 * cannelloni over TCP.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { BRS, ERROR, ESI, EXTENDED, FD } from "../frame.ts";
import { ascii } from "../../tests/rig/bytes.ts";
import { concat } from "../../protocol/bytes.ts";
import { test } from "../../tests/rig/test.ts";
import { CannelloniWire } from "./cannelloni.ts";
import {
  anyFrame,
  bytes,
  frame,
  fuzz,
  hexOf,
  remoteFrame,
  requests,
  sameAtEverySplit,
  written,
} from "./_wire_fixture_test.ts";

const HELLO = ascii("CANNELLONIv1");
const make = () => new CannelloniWire();

test("frames are read and written as cannelloni does, once both have said who they are", () => {
  assert.deepEqual(make().greeting(), HELLO);
  const golden = [
    ["00000123 02 0102", frame(0x123, [1, 2])],
    ["80012345 01 03", frame(0x12345, [3], EXTENDED)],
    ["40000123 08", remoteFrame(0x123, 8)],
    ["20000004 08 0001000000000000", frame(4, [0, 1, 0, 0, 0, 0, 0, 0], ERROR)],
    [
      "80012345 8c 03 000102030405060708090a0b",
      frame(0x12345, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], EXTENDED | FD | BRS | ESI),
    ],
  ] as const;
  for (const [text, frame] of golden) {
    assert.equal(hexOf(written(make(), frame)), text.replaceAll(" ", ""));
    assert.deepEqual(sameAtEverySplit(make, concat([HELLO, bytes(text)])), [{ type: "open" }, {
      type: "frame",
      frame,
    }]);
  }
});

test("who greets otherwise, or announces too much, is ended", () => {
  assert.deepEqual(sameAtEverySplit(make, ascii("CANNELLONIv2")), ["it does not begin with CANNELLONIv1"]);
  assert.match(String(requests(make(), [HELLO, bytes("00000123 09")])[1]), /9 bytes/);
  assert.match(String(requests(make(), [HELLO, bytes("00000123 c1")])[1]), /65 bytes/);
});

test("every frame comes back as it was written", () => {
  fc.assert(fc.property(anyFrame(true), (frame) => {
    assert.deepEqual(requests(make(), [HELLO, written(make(), frame)])[1], { type: "frame", frame });
  }));
});

test("hostile bytes do nothing but end the client", () => {
  fuzz(make, new Uint8Array());
  fuzz(make, HELLO);
});
