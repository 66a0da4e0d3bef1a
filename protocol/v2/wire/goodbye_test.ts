import assert from "node:assert/strict";
import fc from "fast-check";
import { V2_HEADER_SIZE } from "../limits.ts";
import { goodbye, GOODBYE_CODES, goodbyeFrame, readGoodbye } from "./goodbye.ts";
import { concat } from "../../bytes.ts";
import { fieldOf, protocolError, uintOf } from "../_fakes_test.ts";
import { test } from "../../../tests/rig/test.ts";

const payloadOf = (frame: Uint8Array) => frame.subarray(V2_HEADER_SIZE);

test("GOODBYE brings back what was said", () => {
  const byte = fc.nat(255);
  const word = fc.record({
    code: fc.constantFrom(...GOODBYE_CODES),
    text: fc.string({ unit: "grapheme", maxLength: 20 }),
    comeBackAfter: fc.oneof(fc.constantFrom(undefined, Infinity, 0), fc.nat(0xffff_fffe)),
    versions: fc.option(fc.tuple(byte, byte), { nil: undefined }),
    epoch: fc.maxSafeNat(),
  }, { noNullPrototype: true, requiredKeys: ["code", "text", "comeBackAfter", "versions"] });
  fc.assert(fc.property(word, (word) => assert.deepEqual(readGoodbye(payloadOf(goodbyeFrame(word))), word)));
});

test("every code has a time to come back, or leaves the device its own pace", () => {
  const after = Object.fromEntries(GOODBYE_CODES.map((code) => [code, goodbye(code, "").comeBackAfter]));
  assert.deepEqual(after, {
    "shutting-down": undefined,
    "replaced": undefined,
    "revoked": 600_000,
    "disabled": 60_000,
    "expired": 600_000,
    "unknown-device": 60_000,
    "bad-credentials": 60_000,
    "bad-enrolment": Infinity,
    "incompatible": 60_000,
    "duplicate": 60_000,
    "too-busy": 5_000,
    "protocol-error": undefined,
  });
});

test("a code of a later version is a goodbye all the same, with its text and its time", () => {
  const payload = concat([
    fieldOf(1, uintOf(1, 99)),
    fieldOf(2, Uint8Array.of(0x68, 0x69)),
    fieldOf(3, uintOf(4, 7_000)),
    fieldOf(200, new Uint8Array(5)),
  ]);
  const word = { code: "shutting-down", text: "hi", comeBackAfter: 7_000, versions: undefined };
  assert.deepEqual(readGoodbye(payload), word);
  assert.equal(readGoodbye(fieldOf(1, uintOf(1, 0))).code, "shutting-down");
});

test("GOODBYE without a code, with an unknown field, or with one of a wrong size is refused", () => {
  const code = fieldOf(1, uintOf(1, 1));
  for (
    const parts of [
      [],
      [fieldOf(1, uintOf(2, 1))],
      [code, fieldOf(3, uintOf(8, 1))],
      [code, fieldOf(4, uintOf(1, 1))],
      [code, fieldOf(5, uintOf(4, 1))],
      [code, fieldOf(6, uintOf(8, 1))],
      [code, fieldOf(2, new Uint8Array(201))],
    ]
  ) assert.equal(protocolError(() => readGoodbye(concat(parts))), "bad-field");
});

test("a text that is too long is cut, so that GOODBYE can always be read", () => {
  const word = readGoodbye(payloadOf(goodbyeFrame(goodbye("protocol-error", "é".repeat(150)))));
  assert.equal(word.text, "é".repeat(100));
});
