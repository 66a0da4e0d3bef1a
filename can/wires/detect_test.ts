/**
 * Wires are told apart by the client's first bytes.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { ascii } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";
import { WireError } from "../wire.ts";
import { detectWire, WIRE_CHOICES, wireFor } from "./detect.ts";
import { bytes } from "./_wire_fixture_test.ts";

const nameOf = (first: Uint8Array, choice: typeof WIRE_CHOICES[number] = "auto") => detectWire(first, choice)?.name;

test("each wire is known by its first bytes, and by no fewer than it takes", () => {
  assert.equal(nameOf(bytes("01")), "remote-v4");
  assert.equal(nameOf(bytes("07")), "remote-v4");
  assert.equal(nameOf(ascii("< open")), "socketcand");
  for (const [word, name] of [["GET ", "remote-websocket"], ["CANN", "cannelloni"]] as const) {
    for (let size = 0; size < word.length; size++) assert.equal(nameOf(ascii(word).subarray(0, size)), undefined);
    assert.equal(nameOf(ascii(`${word}more`)), name);
  }
});

test("what begins otherwise is told, and slcan with what would do", () => {
  for (const word of ["C\r", "S6\r", "O\r", "t1230\r"]) {
    assert.throws(() => nameOf(ascii(word)), { name: "WireError", message: /wire=slcan/ });
  }
  assert.throws(() => nameOf(ascii("SSH-2.0-x\r\n")), WireError);
  assert.throws(() => nameOf(ascii("GEX")), WireError);
  assert.throws(() => nameOf(bytes("16030100")), { message: /begins with "\?\?\?\?"/ });
});

test("a service that is set to one wire takes no other", () => {
  assert.equal(wireFor("slcan")?.name, "slcan");
  assert.equal(wireFor("socketcand")?.name, "socketcand");
  assert.equal(wireFor("cannelloni")?.name, "cannelloni");
  assert.equal(wireFor("auto"), undefined);
  assert.equal(nameOf(ascii("GET "), "remote"), "remote-websocket");
  assert.throws(() => nameOf(ascii("CANN"), "remote"), WireError);
  assert.throws(() => nameOf(ascii("<"), "remote"), WireError);
});

test("no bytes do anything but say a wire, ask for more, or be refused", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), fc.constantFrom(...WIRE_CHOICES), (first, choice) => {
    try {
      if (detectWire(first, choice) === undefined) assert.ok(first.length < 4);
    } catch (error) {
      assert.ok(error instanceof WireError);
    }
  }));
});
