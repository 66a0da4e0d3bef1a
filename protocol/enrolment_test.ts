import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { MAX_ENROLMENT_LENGTH } from "./limits.ts";
import { decodeEnrolment, encodeEnrolment, type Enrolment, SECURITY_MODES } from "./enrolment.ts";
import { publicKeyFault } from "./public_key.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

const counted = (length: number, from: number) => Uint8Array.from({ length }, (_, at) => from + at);

const SAMPLE: Enrolment = {
  serverKey: counted(32, 0),
  tokenId: counted(8, 0xa0),
  tokenSecret: counted(16, 0xf0),
  security: "pki",
  addresses: [{ host: "relay.example", port: 7443 }, { host: "2001:db8::1", port: 443 }],
};

/** Objects as literals make them. */
const PLAIN = { noNullPrototype: true };

const GOLDEN = "sp2_AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4foKGio6Slpqfw8fLz9PX29_j5-vv8_f7_AQISc" +
  "mVsYXkuZXhhbXBsZTo3NDQzEVsyMDAxOmRiODo6MV06NDQzxtUppQ";

Deno.test("the layout of an enrolment string is fixed", STRICT, () => {
  assert.equal(encodeEnrolment(SAMPLE), GOLDEN);
  assert.deepEqual(decodeEnrolment(GOLDEN), SAMPLE);
});

Deno.test("whatever is written is read, also broken into lines", STRICT, () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom("::1", "fe80::1%eth0"));
  const enrolment: fc.Arbitrary<Enrolment> = fc.record({
    serverKey: bytes(32).filter((key) => publicKeyFault(key) === undefined),
    tokenId: bytes(8),
    tokenSecret: bytes(16),
    security: fc.constantFrom(...SECURITY_MODES),
    addresses: fc.array(fc.record({ host, port: fc.nat(65535) }, PLAIN), { minLength: 1, maxLength: 4 }),
  }, PLAIN);
  fc.assert(fc.property(enrolment, (value) => {
    const text = encodeEnrolment(value);
    assert.match(text, /^sp2_[\w-]+$/);
    assert.deepEqual(decodeEnrolment(text), value);
    assert.deepEqual(decodeEnrolment(` ${text.replace(/.{40}/g, "$&\n")} `), value);
  }));
});

Deno.test("every single wrong character is found", STRICT, () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.\n";
  for (let at = 0; at < GOLDEN.length; at++) {
    for (const char of alphabet) {
      if (char === GOLDEN[at]) continue;
      const bent = GOLDEN.slice(0, at) + char + GOLDEN.slice(at + 1);
      assert.throws(() => decodeEnrolment(bent), { name: "SyntaxError" }, `${char} at ${at}`);
    }
  }
});

Deno.test("every missing end, beginning, swapped pair and repeated character is found", STRICT, () => {
  const check = (text: string) => assert.throws(() => decodeEnrolment(text), { name: "SyntaxError" }, text);
  for (let at = 0; at < GOLDEN.length; at++) {
    check(GOLDEN.slice(0, at));
    check(GOLDEN.slice(at + 1));
    check(GOLDEN.slice(0, at) + GOLDEN.slice(at + 1));
    check(GOLDEN.slice(0, at) + GOLDEN[at] + GOLDEN.slice(at));
    const swapped = GOLDEN.slice(0, at) + GOLDEN[at + 1] + GOLDEN[at] + GOLDEN.slice(at + 2);
    if (swapped !== GOLDEN && at + 1 < GOLDEN.length) check(swapped);
  }
  check(GOLDEN + "A");
  check(GOLDEN + GOLDEN);
});

Deno.test("what is wrong is said apart: not a string of ours, damaged, too long, of a newer version", STRICT, () => {
  assert.throws(() => decodeEnrolment("eyJhbGci"), /not an enrolment string; it begins with sp2_/);
  assert.throws(() => decodeEnrolment(GOLDEN.slice(0, -1)), /damaged or cut short; copy all of it/);
  assert.throws(() => decodeEnrolment(`sp2_${"A".repeat(MAX_ENROLMENT_LENGTH)}`), /too long/);
  const bytes = Uint8Array.fromBase64(GOLDEN.slice(4), { alphabet: "base64url" });
  bytes[0] = 2;
  new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)));
  const newer = `sp2_${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
  assert.throws(() => decodeEnrolment(newer), /of version 2, made by a newer server; update this program/);
});

Deno.test("parts of a wrong size are not written", STRICT, () => {
  assert.throws(() => encodeEnrolment({ ...SAMPLE, serverKey: new Uint8Array(31) }), RangeError);
  assert.throws(() => encodeEnrolment({ ...SAMPLE, tokenId: new Uint8Array(7) }), RangeError);
  assert.throws(() => encodeEnrolment({ ...SAMPLE, tokenSecret: new Uint8Array(17) }), RangeError);
  assert.throws(() => encodeEnrolment({ ...SAMPLE, addresses: [] }), RangeError);
  assert.throws(() => encodeEnrolment({ ...SAMPLE, addresses: Array(5).fill(SAMPLE.addresses[0]) }), RangeError);
  assert.throws(() => encodeEnrolment({ ...SAMPLE, addresses: [{ host: "a".repeat(255), port: 1 }] }), RangeError);
});

Deno.test("a server key for which anybody can sign is neither written nor read", STRICT, () => {
  const weak = new Uint8Array(32);
  assert.throws(() => encodeEnrolment({ ...SAMPLE, serverKey: weak }), /low order/);
  const good = Uint8Array.from(atob(GOLDEN.slice(4).replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const body = good.slice(0, -4);
  body.set(weak, 1);
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, crc32(body));
  const text = btoa(String.fromCharCode(...body, ...sum)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  assert.throws(() => decodeEnrolment(`sp2_${text}`), /a server key that is nobody's.*low order.*ask for a new one/);
});
