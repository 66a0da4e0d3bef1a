import assert from "node:assert/strict";
import fc from "fast-check";
import { publicKeyFault } from "../../protocol/public_key.ts";
import {
  createIdentity,
  fingerprint,
  formatPublicKey,
  identityFromPem,
  identityToPem,
  parsePublicKey,
  verify,
} from "./identity.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

/** RFC 8032 §7.1, test 2: the seed 4ccd…, as OpenSSL writes it. */
const PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7
-----END PRIVATE KEY-----
`;
const PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const SIGNATURE_OF_72 = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

Deno.test("a key that OpenSSL wrote is read, and signs what RFC 8032 says", STRICT, async () => {
  const identity = await identityFromPem(PEM);
  assert.equal(identity.publicKey.toHex(), PUBLIC);
  assert.equal((await identity.sign(Uint8Array.of(0x72))).toHex(), SIGNATURE_OF_72);
  assert.equal(await identityToPem(identity), PEM);
});

Deno.test("a new identity survives its file, and proves itself with either", STRICT, async () => {
  const identity = await createIdentity();
  const again = await identityFromPem(await identityToPem(identity));
  assert.deepEqual(again.publicKey, identity.publicKey);
  const bytes = new TextEncoder().encode("hello");
  assert.ok(await verify(identity.publicKey, await again.sign(bytes), bytes));
  assert.notDeepEqual((await createIdentity()).publicKey, identity.publicKey);
});

Deno.test(
  "another key, other bytes, and another signature do not verify, and neither does anything malformed",
  STRICT,
  async () => {
    const [identity, other] = [await createIdentity(), await createIdentity()];
    const bytes = Uint8Array.of(1, 2, 3);
    const signature = await identity.sign(bytes);
    const bent = signature.slice();
    bent[10]! ^= 1;
    assert.equal(await verify(other.publicKey, signature, bytes), false);
    assert.equal(await verify(identity.publicKey, signature, Uint8Array.of(1, 2)), false);
    assert.equal(await verify(identity.publicKey, bent, bytes), false);
    for (const length of [0, 31, 33]) assert.equal(await verify(new Uint8Array(length), signature, bytes), false);
    assert.equal(await verify(identity.publicKey, signature.subarray(1), bytes), false);
    assert.equal(await verify(new Uint8Array(32).fill(255), signature, bytes), false);
  },
);

Deno.test("what is no private key is refused, in words", STRICT, async () => {
  for (const pem of ["", PUBLIC, PEM.replaceAll("PRIVATE", "PUBLIC"), PEM + PEM, PEM.slice(0, -10)]) {
    await assert.rejects(identityFromPem(pem), { name: "SyntaxError", message: /begins with -----BEGIN PRIVATE KEY/ });
  }
  for (const pem of [PEM.replace("MC4C", "MC4D"), PEM.replace("PuKb7", "Pu")]) {
    await assert.rejects(identityFromPem(pem), { name: "SyntaxError", message: /damaged, or is not one for Ed25519/ });
  }
});

Deno.test("a public key has one spelling", STRICT, () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (raw) => {
    fc.pre(publicKeyFault(raw) === undefined);
    const text = formatPublicKey(raw);
    assert.match(text, /^ed25519:[\w-]{43}$/);
    assert.deepEqual(parsePublicKey(text), raw);
  }));
  const text = formatPublicKey(Uint8Array.fromHex(PUBLIC));
  assert.equal(text, "ed25519:PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw");
  const wrong = [
    "",
    text.slice(8),
    `${text}=`,
    text.slice(0, -1),
    text.toUpperCase(),
    ` ${text}`,
    text.replace("-", "+"),
    text.replace(/w$/, "x"), // the same bytes, with bits left over
    "ssh-ed25519 AAAA",
  ];
  for (const bad of wrong) {
    assert.throws(
      () => parsePublicKey(bad),
      { name: "SyntaxError", message: /is not a public key.*write ed25519:/ },
      bad,
    );
  }
});

Deno.test("the error for a key names the command that prints such a one", STRICT, () => {
  assert.throws(() => parsePublicKey("x"), /as "device key" prints it$/);
  assert.throws(() => parsePublicKey("ed25519:x", "server key"), /as "server key" prints it$/);
});

Deno.test("a fingerprint is short, and follows from the key", STRICT, async () => {
  assert.equal(await fingerprint(Uint8Array.fromHex(PUBLIC)), "39:f7:13:d0:a6:44:25:3f");
});

Deno.test("a text for a key for which anybody can sign is no public key", STRICT, () => {
  const texts = [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(32).fill(255)].map(
    formatPublicKey,
  );
  for (const text of texts) assert.throws(() => parsePublicKey(text), /is nobody's public key/);
});
