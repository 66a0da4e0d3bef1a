import assert from "node:assert/strict";
import fc from "fast-check";
import { createIdentity, verify } from "./identity.ts";
import { hmacNow, sha256Now, signingKey, signNow, verifyNow } from "./signatures.ts";
import { test } from "../../tests/rig/test.ts";

/** What stands in front of a seed in PKCS #8 (RFC 8410 §7). */
const PKCS8_HEAD = "302e020100300506032b657004220420";

/** RFC 8032 §7.1: seed, public key, message, signature; test 1024 is left out for its length. */
const VECTORS = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
  [
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  ],
] as const;

/** RFC 4231 §4: key, data, HMAC-SHA-256; test cases 1, 2, 3 and 6. */
const HMAC_VECTORS = [
  ["0b".repeat(20), "4869205468657265", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [
    "4a656665",
    "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  ["aa".repeat(20), "dd".repeat(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  [
    "aa".repeat(131),
    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
] as const;

/** The order of the group, by which a signature's second half could be changed unnoticed (RFC 8032 §8.4). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** Not by `Uint8Array.fromHex`: these run on the runtime of the binaries, too. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** What Web Crypto says of a signature. */
async function verifyByWeb(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("raw", Uint8Array.from(publicKey), "Ed25519", true, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, Uint8Array.from(signature), Uint8Array.from(bytes));
  } catch {
    return false;
  }
}

/** The same signature with `ORDER` added to its second half, as often as asked. */
function moved(signature: Uint8Array, times: bigint): Uint8Array {
  let half = times * ORDER;
  for (let at = 63; at >= 32; at--) half += BigInt(signature[at]!) << BigInt(8 * (at - 32));
  return signature.map((byte, at) => at < 32 ? byte : Number(half >> BigInt(8 * (at - 32)) & 255n));
}

test("signatures are those of RFC 8032", () => {
  for (const [seed, publicKey, message, signature] of VECTORS) {
    const key = signingKey(bytesOf(PKCS8_HEAD + seed));
    assert.deepEqual(signNow(key, bytesOf(message)), bytesOf(signature));
    assert.equal(verifyNow(bytesOf(publicKey), bytesOf(signature), bytesOf(message)), true);
    assert.equal(verifyNow(bytesOf(publicKey), bytesOf(signature), bytesOf(message + "00")), false);
  }
});

test("signatures are those of Web Crypto, either way, and bent ones are neither's", async () => {
  const { keyPair, publicKey } = await createIdentity();
  const key = signingKey(new Uint8Array(await crypto.subtle.exportKey("pkcs8", keyPair.privateKey)));
  const bit = fc.record({ part: fc.nat(2), at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) });
  await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 600 }), bit, async (bytes, bent) => {
    const signature = signNow(key, bytes);
    assert.deepEqual(signature, new Uint8Array(await crypto.subtle.sign("Ed25519", keyPair.privateKey, bytes.slice())));
    assert.equal(verifyNow(publicKey, signature, bytes), true);
    assert.equal(await verifyByWeb(publicKey, signature, bytes), true);
    const parts = [publicKey.slice(), signature.slice(), bytes.slice()] as const;
    const part = parts[bent.part]!;
    part[bent.at % part.length]! ^= bent.mask;
    assert.equal(verifyNow(...parts), false);
    assert.equal(await verifyByWeb(...parts), false);
  }));
});

test("of any bytes for key and signature, at any length, it says what Web Crypto says", async () => {
  const sizes = fc.oneof(fc.constantFrom(0, 31, 32, 33, 63, 64, 65), fc.nat(100));
  const some = sizes.chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));
  const small = fc.nat(255).map((first) => Uint8Array.of(first, ...new Uint8Array(31)));
  await fc.assert(
    fc.asyncProperty(fc.oneof(some, small), some, some, async (publicKey, signature, bytes) => {
      assert.equal(verifyNow(publicKey, signature, bytes), await verifyByWeb(publicKey, signature, bytes));
    }),
    { numRuns: 300 },
  );
});

test("a signature has one spelling: one with the group's order added is refused", async () => {
  const [, publicKey, message, signature] = VECTORS[1].map(bytesOf) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  assert.deepEqual(moved(signature, 0n), signature);
  for (const times of [1n, 2n, 15n]) {
    assert.equal(verifyNow(publicKey, moved(signature, times), message), false);
    assert.equal(await verifyByWeb(publicKey, moved(signature, times), message), false);
  }
});

test("of a key of low order, for which anybody can sign, no signature verifies", async () => {
  const one = Uint8Array.of(1, ...new Uint8Array(31)); // the point 0: as key and in the signature, it fits any message
  const signature = Uint8Array.of(...one, ...new Uint8Array(32));
  assert.equal(verifyNow(one, signature, Uint8Array.of(1, 2, 3)), true);
  assert.equal(await verify(one, signature, Uint8Array.of(1, 2, 3)), false);
});

test("what is no private key is no key to sign with", () => {
  const der = bytesOf(PKCS8_HEAD + VECTORS[0][0]);
  for (const bad of [new Uint8Array(0), der.subarray(0, 47), der.subarray(1), bytesOf(VECTORS[0][1])]) {
    assert.throws(() => signingKey(bad));
  }
});

test("HMAC is that of RFC 4231, and of Web Crypto for keys of any length", async () => {
  for (const [key, data, code] of HMAC_VECTORS) assert.deepEqual(hmacNow(bytesOf(key), bytesOf(data)), bytesOf(code));
  const name = { name: "HMAC", hash: "SHA-256" };
  const any = fc.uint8Array({ minLength: 1, maxLength: 200 });
  await fc.assert(fc.asyncProperty(any, any, async (secret, bytes) => {
    const key = await crypto.subtle.importKey("raw", secret.slice(), name, false, ["sign"]);
    assert.deepEqual(hmacNow(secret, bytes), new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.slice())));
    assert.deepEqual(sha256Now(bytes), new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice())));
  }));
});
