/**
 * socketcand's protocol.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ERROR, EXTENDED, FD } from "../frame.ts";
import { ascii } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";
import type { Request } from "../wire.ts";
import { SocketcandWire } from "./socketcand.ts";
import { frame, fuzz, remoteFrame, requests, sameAtEverySplit, written } from "./_wire_fixture_test.ts";

const OPEN = "< open can0 >";
const make = () => new SocketcandWire();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function told(said: string): (Request | string)[] {
  return sameAtEverySplit(make, ascii(said)).map((request) =>
    typeof request === "object" && (request.type === "answer" || request.type === "mistake" || request.type === "end")
      ? text(request.bytes)
      : request
  );
}

/** A wire in a mode. */
function inMode(said: string): SocketcandWire {
  const wire = make();
  requests(wire, [ascii(OPEN + said)]);
  return wire;
}

test("the server speaks first, and the bus opens by its name", () => {
  assert.equal(text(make().greeting()), "< hi >");
  assert.deepEqual(told(`${OPEN}< rawmode >< echo >`), [{ type: "open", bus: "can0" }, "< ok >", "< echo >"]);
  assert.equal(text(make().opened()), "< ok >");
  assert.equal(text(make().refused().bytes), "< error could not open bus >");
  assert.deepEqual(told("< open a_name_that_is_too_long >"), ["< error could not open bus >"]);
});

test("no frame comes for 100 ms behind the answer to rawmode", () => {
  const [, answer] = requests(make(), [ascii(`${OPEN}< rawmode >`)]);
  assert.equal(typeof answer === "object" && answer.type === "answer" && answer.pause, 100);
});

test("frames are written with two spaces where they have no data, and with eight digits where their id has 29 bits", () => {
  const wire = inMode("< rawmode >");
  const of = (each: Parameters<typeof written>[1]) => text(written(wire, each));
  assert.equal(of(frame(0x123, [0x1a, 0x22, 3, 0x44], 0, 23.424242)), "< frame 123 23.424242 1A220344 >");
  assert.equal(of(frame(0x123, [], 0, 23.424242)), "< frame 123 23.424242  >");
  assert.equal(of(frame(0x12345, [0xaa], EXTENDED, 24.000001)), "< frame 00012345 24.000001 AA >");
  assert.equal(of(frame(4, [0, 1, 0, 0, 0, 0, 0, 0], ERROR, 25.5)), "< error 004 25.500000 >");
  assert.equal(of(remoteFrame(0x123, 2)), "", "it has no words for these");
  assert.equal(of(frame(0x123, [1], FD)), "");
});

test("what clients send is read as python-can and others write it, and a remote frame in disguise is refused", () => {
  assert.deepEqual(told(`${OPEN}< send 123 2 1 f1 >< send 123 0  >< send 123 0 >< send 1AAAAAAA 1 ff >`).slice(1), [
    { type: "frame", frame: frame(0x123, [1, 0xf1]) },
    { type: "frame", frame: frame(0x123) },
    { type: "frame", frame: frame(0x123) },
    { type: "frame", frame: frame(0x1aaaaaaa, [255], EXTENDED) },
  ]);
  assert.deepEqual(told(`${OPEN}< send 123 8  >< send 123 9 0 0 0 0 0 0 0 0 0 >< send >< fly >`).slice(1), [
    "< error syntax error >",
    "< error syntax error >",
    "< error syntax error >",
    "< error unknown command >",
  ]);
});

test("mode BCM sends periodically, and tells what was subscribed to", () => {
  assert.deepEqual(told(`${OPEN}< add 1 500000 123 1 07 >< update 123 1 08 >< delete 123 >`).slice(1), [
    { type: "periodic-start", key: "291/0", frame: frame(0x123, [7]), period: 1500, duration: 0 },
    { type: "periodic-start", key: "291/0", frame: frame(0x123, [8]), period: 0, duration: 0 },
    { type: "periodic-stop", key: "291/0" },
  ]);
  const wire = inMode("< subscribe 0 0 123 >< subscribe 1 0 124 >< filter 0 0 125 1 F0 >");
  const isTold = (id: number, data: number, time: number) => written(wire, frame(id, [data], 0, time)).length > 0;
  assert.deepEqual([isTold(0x122, 1, 1), isTold(0x123, 1, 1), isTold(0x123, 1, 1)], [false, true, true]);
  assert.deepEqual([isTold(0x124, 1, 1), isTold(0x124, 1, 1.9), isTold(0x124, 1, 2.1)], [true, false, true]);
  assert.deepEqual([isTold(0x125, 0x11, 1), isTold(0x125, 0x12, 2), isTold(0x125, 0x22, 3)], [true, false, true]);
  requests(wire, [ascii("< unsubscribe 123 >")]);
  assert.equal(isTold(0x123, 1, 9), false);
});

test("the bus is not set up by clients", () => {
  assert.deepEqual(told("< can0 B 500000 0 0 0 0 0 0 0 >"), ["< error the bus is set up already >"]);
});

test("trouble of the bus cannot look like something else", () => {
  const { bytes, end } = make().troubled("down >< frame 123 1.0 00\n");
  assert.equal(text(bytes), "< error down  frame 123 1.0 00? >");
  assert.ok(end);
});

test("hostile bytes do nothing but be refused, and an element without an end is ended", () => {
  fuzz(make, new Uint8Array());
  fuzz(make, ascii(OPEN), "<> 0123456789ABFsendaubcriptlopw");
  assert.match(String(requests(make(), [ascii(`<${"x".repeat(600)}`)])[0]), /longer than/);
});
