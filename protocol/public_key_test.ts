import assert from "node:assert/strict";
import { verify } from "../net/tls/identity.ts";
import { publicKeyFault } from "./public_key.ts";
import { test } from "../tests/rig/test.ts";
import { unhex } from "../tests/rig/bytes.ts";

/** Every encoding of the 8 points whose order divides 8: libsodium's list, with either sign, written out. */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000", // y = 0, order 4
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0100000000000000000000000000000000000000000000000000000000000000", // y = 1, order 1
  "0100000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = -1, order 2
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p, which is 0
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 1, which is 1
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

test("no encoding of a point of low order is a public key", () => {
  for (const point of LOW_ORDER) assert(publicKeyFault(unhex(point)), point);
});

test("for such a point anybody can sign: that is why", async () => {
  const identityPoint = Uint8Array.from(unhex(LOW_ORDER[2]!));
  const signature = Uint8Array.from([...identityPoint, ...new Uint8Array(32)]); // R = the point, S = 0
  assert.equal(await verify(identityPoint, signature, Uint8Array.of(1, 2, 3)), false, "nobody's signature is taken");
});

test("a second spelling of any point is no public key", () => {
  for (let low = 0xed; low <= 0xff; low++) {
    for (const high of ["7f", "ff"]) {
      const text = low.toString(16) + "ff".repeat(30) + high;
      assert(publicKeyFault(unhex(text)), text);
    }
  }
});

test("what has another size is no public key", () => {
  for (const size of [0, 31, 33]) assert.match(publicKeyFault(new Uint8Array(size).fill(5))!, /bytes/);
});

test("keys of RFC 8032, and what stands beside the points of low order, are taken", () => {
  const good = [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0200000000000000000000000000000000000000000000000000000000000000",
  ];
  for (const key of good) assert.equal(publicKeyFault(unhex(key)), undefined, key);
});
