import assert from "node:assert/strict";
import fc from "fast-check";
import { describeStranger, detectOpening } from "./detect.ts";
import { test } from "../tests/rig/test.ts";
import { unhex } from "../tests/rig/bytes.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

function stranger(bytes: Uint8Array): string {
  const opening = detectOpening(bytes);
  assert(opening.kind === "stranger", `${opening.kind}`);
  return opening.what;
}

test("LISTEN is known at its fourth byte, whatever follows", () => {
  assert.deepEqual(detectOpening(unhex("00 00 04 00")), { kind: "v1" });
  assert.deepEqual(detectOpening(unhex("00 00 04 00 00 00 02 01")), { kind: "v1" });
});

test("each beginning of LISTEN wants more bytes", () => {
  for (const text of ["", "00", "00 00", "00 00 04"]) assert.deepEqual(detectOpening(unhex(text)), { kind: "more" });
});

test("a stranger is known by the first wrong byte", () => {
  for (const text of ["01", "00 01", "00 00 03", "00 00 04 01"]) {
    assert.equal(stranger(unhex(text)), `the bytes ${text}`);
  }
});

test("strangers are called by what they speak", () => {
  assert.equal(stranger(ascii("GET / HTTP/1.1\r\n")), "an HTTP request");
  assert.equal(stranger(ascii("PRI * HTTP/2.0\r\n")), "an HTTP request");
  assert.equal(stranger(ascii("SSH-2.0-OpenSSH_9.6\r\n")), "an SSH client");
  assert.equal(stranger(unhex("16 03 01 02 00 01 00 01")), "a TLS hello");
  assert.equal(stranger(ascii("SALLY2\r\n")), "the preamble of a v2 device");
  assert.equal(stranger(ascii("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n")), "a PROXY protocol header");
  assert.equal(stranger(unhex("0d 0a 0d 0a 00 0d 0a 51")), "a PROXY protocol header");
  assert.equal(stranger(unhex("0d 0a 00 ff 01 02 03 04 05")), "the bytes 0d 0a 00 ff 01 02 03 04");
});

test("devices that were told otherwise are told from anybody else", () => {
  const speaks = (bytes: Uint8Array) => describeStranger(bytes).speaks;
  assert.equal(speaks(unhex("00 00 04 00")), "v1");
  assert.equal(speaks(ascii("SALLY2\r\nmore")), "v2");
  assert.equal(speaks(unhex("16 03 01 02 00 01 00 01")), "tls");
  for (const text of ["00 00 04", "16 04", "53 41 4c 4c 59 32 0a"]) assert.equal(speaks(unhex(text)), "other", text);
  assert.equal(speaks(new Uint8Array(0)), "other");
});

test("only the four bytes of LISTEN are a device", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
    const listen = [0, 0, 4, 0];
    const wrong = listen.findIndex((byte, at) => at < bytes.length && bytes[at] !== byte);
    const expected = wrong >= 0 ? "stranger" : bytes.length < 4 ? "more" : "v1";
    assert.equal(detectOpening(bytes).kind, expected);
  }));
});
