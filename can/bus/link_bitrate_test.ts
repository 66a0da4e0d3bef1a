/**
 * The bitrate of an interface, out of what netlink says.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { bytes, hexOf } from "../wires/_wire_fixture_test.ts";
import { canCalls } from "./can_calls.ts";
import { linkBitrate, linkQuestion, readLinkBitrate } from "./link_bitrate.ts";

/** An attribute around others. */
function attribute(kind: number, ...content: string[]): string {
  const inner = content.join("");
  const size = 4 + inner.length / 2;
  const short = (value: number) => bytes(value.toString(16).padStart(4, "0")).toReversed();
  return hexOf(Uint8Array.from([...short(size), ...short(kind)])) + inner + "00".repeat((4 - size % 4) % 4);
}

function answer(...attributes: string[]): Uint8Array {
  const body = "00000118 07000000 c1000000 00000000".replaceAll(" ", "") + attributes.join("");
  const size = bytes((16 + body.length / 2).toString(16).padStart(8, "0")).toReversed();
  return bytes(`${hexOf(size)} 1000 0000 00000000 00000000 ${body}`);
}

const NAME = attribute(3, "63616e3000");
const KIND = attribute(1, "63616e00");
const TIMING = attribute(1, "20a10700", "6f030000", "00".repeat(24)); // 500000

test("an interface is asked for by its number, and its bitrate read", () => {
  assert.equal(hexOf(linkQuestion(7)), "20000000120001000000000000000000" + "00000000070000000000000000000000");
  assert.equal(readLinkBitrate(answer(NAME, attribute(18, KIND, attribute(2, TIMING)))), 500_000);
  assert.equal(readLinkBitrate(answer(NAME, attribute(0x8012, KIND, attribute(0x8002, TIMING)))), 500_000);
});

test("one without a bitrate has none", () => {
  assert.equal(readLinkBitrate(answer(NAME)), undefined);
  assert.equal(readLinkBitrate(answer(NAME, attribute(18, attribute(1, "7663616e00")))), undefined, "vcan");
  assert.equal(readLinkBitrate(answer(NAME, attribute(18, KIND, attribute(2, attribute(1, "00000000"))))), undefined);
  assert.equal(readLinkBitrate(bytes("24000000020000000000000000000000edffffff")), undefined, "an error");
});

test("no answer does harm", () => {
  const whole = answer(NAME, attribute(18, KIND, attribute(2, TIMING)));
  for (let size = 0; size < whole.length; size++) readLinkBitrate(whole.subarray(0, size));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
    readLinkBitrate(Uint8Array.from([...whole.subarray(0, 32), ...noise]));
  }));
});

test("the kernel of this machine answers, and lo has no bitrate", () => {
  const calls = canCalls();
  if (calls) assert.equal(linkBitrate(calls, 1), undefined);
});
