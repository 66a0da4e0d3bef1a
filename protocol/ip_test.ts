import assert from "node:assert/strict";
import fc from "fast-check";
import { ipBytes, isInNetwork, parseNetwork, samePrefix } from "./ip.ts";
import { test } from "../tests/rig/test.ts";

const NETWORKS: readonly [network: string, inside: string[], outside: string[]][] = [
  ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0", "::a00:1"]],
  ["10.0.0.128/25", ["10.0.0.128", "10.0.0.255"], ["10.0.0.127", "10.0.1.128"]],
  ["127.0.0.1", ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1"]],
  ["127.0.0.1/32", ["127.0.0.1"], ["127.0.0.0"]],
  ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1", "fd00::1"]],
  ["fd00::/8", ["fd00::1", "fdff::"], ["fe00::1", "fc00::1", "10.0.0.1"]],
  ["[fd00::]/8", ["fd00::1"], ["fe00::1"]],
  ["[::1]", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]],
  ["::/0", ["::1", "fd00::1"], ["1.2.3.4", "::ffff:1.2.3.4"]],
  ["fd00:0:0:8000::/49", ["fd00:0:0:8000::1"], ["fd00:0:1::1"]],
];

for (const [network, inside, outside] of NETWORKS) {
  test(`the network ${network} has what is in it, and nothing else`, () => {
    for (const ip of inside) assert.equal(isInNetwork(ip, network), true, ip);
    for (const ip of [...outside, "example.org", "", "10.0.0", "10.0.0.1.2"]) {
      assert.equal(isInNetwork(ip, network), false, ip);
    }
  });
}

test("an IPv4 address is the same in the clothes of IPv6", () => {
  fc.assert(fc.property(fc.ipV4(), (ip) => {
    assert.deepEqual(ipBytes(`::ffff:${ip}`), ipBytes(ip));
    assert.equal(ipBytes(ip)!.length, 4);
  }));
});

test("no text but an IP has bytes", () => {
  for (const text of ["", "a", "1.2.3", "1.2.3.256", "1.2.3.4.5", ":::", "12345::", "1.2.3.4/8", "[::1]"]) {
    assert.equal(ipBytes(text), undefined, text);
  }
});

test("prefixes are compared bit by bit, as a naive comparison of bits does", () => {
  const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((array) => [...array]);
  const bitsOf = (array: number[]) => array.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  fc.assert(fc.property(bytes, bytes, fc.nat(32), fc.nat(32), (a, other, shared, length) => {
    const bits = bitsOf(a).slice(0, shared) + bitsOf(other).slice(shared);
    const b = Array.from({ length: 4 }, (_, at) => parseInt(bits.slice(at * 8, at * 8 + 8), 2));
    assert.equal(samePrefix(a, b, length), bitsOf(a).slice(0, length) === bits.slice(0, length));
  }));
  assert.equal(samePrefix([1, 2, 3, 4], [1, 2, 3, 4, 5], 8), false);
});

test("a network is looked into as it was when it was read", () => {
  fc.assert(fc.property(fc.ipV4(), fc.nat(32), fc.ipV4(), (base, length, ip) => {
    const network = `${base}/${length}`;
    assert.equal(isInNetwork(ip, network), parseNetwork(network)(ip));
  }));
});

test("a network contains what has its prefix, also written as mapped IPv6", () => {
  const contains = (network: string, ip: string) => parseNetwork(network)(ip);
  assert.ok(contains("10.0.0.0/8", "10.255.0.1"));
  assert.ok(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  assert.ok(!contains("10.0.0.0/8", "11.0.0.1"));
  assert.ok(contains("10.1.2.3", "10.1.2.3"));
  assert.ok(!contains("10.1.2.3", "10.1.2.4"));
  assert.ok(contains("fd00::/9", "fd7f::1"));
  assert.ok(!contains("fd00::/9", "fd80::1"));
  assert.ok(contains("0.0.0.0/0", "1.2.3.4"));
  assert.ok(!contains("0.0.0.0/0", "::1"));
  assert.ok(!contains("0.0.0.0/0", "garbage"));
  for (const text of ["", "relay.example", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "::/129", "*"]) {
    assert.throws(() => parseNetwork(text), { message: /is not a network; write one as in 10\.0\.0\.0\/8/ }, text);
  }
});
