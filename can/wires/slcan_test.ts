/**
 * slcan, as its clients see an adapter.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { BRS, EXTENDED, FD } from "../frame.ts";
import { ascii } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";
import type { Request } from "../wire.ts";
import { SlcanWire } from "./slcan.ts";
import { readSlcanFrame } from "./slcan_frames.ts";
import {
  anyFrame,
  errorFrame,
  frame,
  fuzz,
  remoteFrame,
  requests,
  sameAtEverySplit,
  written,
} from "./_wire_fixture_test.ts";

const make = () => new SlcanWire();

/** What is asked for, and what is answered. */
function told(text: string): (Request | string)[] {
  return sameAtEverySplit(make, ascii(text)).map((request) =>
    typeof request === "object" && (request.type === "answer" || request.type === "mistake")
      ? new TextDecoder().decode(request.bytes)
      : request
  );
}

test("python-can's opening, its frames and its end are understood", () => {
  assert.deepEqual(told("C\rS6\r\rO\rO\rt12320102\rR000123453\rC\r"), [
    ...["\r", "\r", "\r"],
    { type: "open", listenOnly: false, bitrate: 500_000 },
    "\r",
    { type: "frame", frame: frame(0x123, [1, 2]) },
    { type: "frame", frame: remoteFrame(0x12345, 3, EXTENDED) },
    { type: "detach" },
    "\r",
  ]);
});

test("what is no command is refused, and so is a frame while the bus is closed", () => {
  assert.deepEqual(told("t1230\rS9\rSx\rq\rV\rN\rF\rZ2\r"), [
    "\x07",
    "\r",
    "\x07",
    "\x07",
    "V1013\r",
    "NSLPT\r",
    "F00\r",
    "\x07",
  ]);
  assert.deepEqual(told("L\rt123\rt12321\rt8000\rS5\r"), [
    { type: "open", listenOnly: true },
    ...["\x07", "\x07", "\x07", "\x07"],
  ]);
});

test("a line that is too long is lost whole", () => {
  assert.deepEqual(told(`O\r${"t".repeat(300)}1230\rt1230\r`).slice(1), ["\x07", {
    type: "frame",
    frame: frame(0x123),
  }]);
});

test("frames are written as an adapter does, with times where they were asked for", () => {
  const text = (wire: SlcanWire, each: Parameters<typeof written>[1]) => new TextDecoder().decode(written(wire, each));
  assert.equal(text(make(), frame(0x123, [0xaa, 0xbb])), "t1232AABB\r");
  assert.equal(text(make(), frame(0x12345, [255], EXTENDED)), "T000123451FF\r");
  assert.equal(text(make(), remoteFrame(0x123, 8)), "r1238\r");
  assert.equal(text(make(), frame(0x123, new Array(12).fill(0), FD | BRS)), `b1239${"00".repeat(12)}\r`);
  assert.equal(text(make(), errorFrame), "");
  const timed = make();
  requests(timed, [ascii("Z1\r")]);
  assert.equal(text(timed, frame(0x123, [], 0, 61.5)), "t123005DC\r");
});

test("every frame comes back as it was written", () => {
  fc.assert(fc.property(anyFrame(true), (frame) => {
    const line = new TextDecoder().decode(written(make(), frame)).slice(0, -1);
    assert.deepEqual(readSlcanFrame(line, false), { ...frame, flags: frame.flags & ~32 }, "but for ESI");
    assert.deepEqual(readSlcanFrame(`${line}0F0F`, true), { ...frame, flags: frame.flags & ~32 });
  }));
});

test("hostile bytes do nothing but be refused", () => {
  fuzz(make, new Uint8Array());
  fuzz(make, ascii("O\r"), "tTrRdDbB0123456789AfF\r\n\x07SOLCVNZ");
});
