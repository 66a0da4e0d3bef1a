import assert from "node:assert/strict";
import fc from "fast-check";
import { parseService } from "./services.ts";
import { test } from "../tests/rig/test.ts";

/** A rule, what it allows and what it does not, as HOST PORT. */
const RULES: readonly [rule: string, allowed: string[], refused: string[]][] = [
  ["127.0.0.1:22", ["127.0.0.1 22"], ["127.0.0.1 23", "127.0.0.2 22", "localhost 22", "::1 22"]],
  ["localhost:*", ["localhost 1", "LOCALHOST 65535"], ["127.0.0.1 22", "localhost.example 22"]],
  ["PLC-7.Local:502", ["plc-7.local 502", "PLC-7.LOCAL 502"], ["plc-7 502", "plc-7.local 503"]],
  ["10.0.0.0/24:*", ["10.0.0.0 22", "10.0.0.255 1"], ["10.0.1.0 22", "9.255.255.255 22", "plc 22", "::a00:1 22"]],
  ["10.0.0.9/24:23", ["10.0.0.1 23"], ["10.0.0.1 24"]],
  ["10.0.0.128/25:23", ["10.0.0.200 23"], ["10.0.0.127 23"]],
  ["0.0.0.0/0:80", ["1.2.3.4 80", "255.255.255.255 80"], ["::1 80", "example 80"]],
  ["10.0.0.5/32:80", ["10.0.0.5 80"], ["10.0.0.4 80"]],
  ["[::1]:22", ["::1 22", "0:0:0:0:0:0:0:1 22"], ["::2 22", "127.0.0.1 22"]],
  ["[fd00::/8]:*", ["fd00::1 22", "fdff:ffff::9 22"], ["fe00::1 22", "fc00::1 22", "10.0.0.1 22"]],
  ["[fd00:0:0:8000::/49]:*", ["fd00:0:0:8000::1 1", "fd00:0:0:ffff::1 1"], ["fd00:0:1::1 1"]],
  ["[::/0]:443", ["::1 443", "fe80::1 443"], ["1.2.3.4 443"]],
  ["127.0.0.1:*", ["::ffff:127.0.0.1 22"], ["::ffff:127.0.0.2 22"]],
  ["[::ffff:10.0.0.1]:22", ["10.0.0.1 22"], ["10.0.0.2 22"]],
  ["*:8000-8099", ["a 8000", "1.2.3.4 8099", "::1 8050"], ["a 7999", "a 8100"]],
  ["*:*", ["a 1", "::1 65535"], []],
  ["a:80-80", ["a 80"], ["a 79", "a 81"]],
];

function targetOf(text: string): { host: string; port: number } {
  const [host = "", port = ""] = text.split(" ");
  return { host, port: Number(port) };
}

test("each pattern allows what it names and nothing else", () => {
  for (const [text, allowed, refused] of RULES) {
    const rule = parseService(text);
    assert.equal(rule.text, text);
    for (const target of allowed) assert.equal(rule.allows(targetOf(target)), true, `${text} and ${target}`);
    for (const target of refused) assert.equal(rule.allows(targetOf(target)), false, `${text} and ${target}`);
  }
});

const BAD: readonly [text: string, why: RegExp][] = [
  ["", /no port; write HOST:PORT/],
  ["127.0.0.1", /no port; write HOST:PORT/],
  [":22", /not a host; write a name, an IP, a network or \*/],
  ["a:", /not a port; write a number from 0 to 65535/],
  ["a:0", /not a port from 1 to 65535, a range as in 8000-8099, or \*/],
  ["a:0-9", /range as in 8000-8099/],
  ["a:9-8", /range as in 8000-8099/],
  ["a:1-2-3", /range as in 8000-8099/],
  ["a:1-", /not a port/],
  ["a:-1", /not a port/],
  ["a:65536", /0 to 65535/],
  ["a:1-65536", /0 to 65535/],
  ["a:ssh", /not a port/],
  ["a:**", /not a port/],
  ["::1:22", /ambiguous; write an IPv6 address in brackets/],
  ["[a]:22", /not an IPv6 address/],
  ["10.0.0.256:22", /not a host/],
  ["10.0.0:22", /not a host/],
  ["*.example:22", /not a host/],
  ["a b:22", /not a host/],
  ["relay/24:22", /not a network; write one as in 10\.0\.0\.0\/24/],
  ["10.0.0.0/33:22", /prefix length from 0 to 32/],
  ["10.0.0.0/:22", /prefix length/],
  ["10.0.0.0/-1:22", /prefix length/],
  ["10.0.0.0/8/8:22", /prefix length/],
  ["10.0.0.0/255.0.0.0:22", /prefix length/],
  ["[fd00::/129]:22", /prefix length from 0 to 128/],
];

test("a bad pattern is refused with the text, what is wrong and what would do", () => {
  for (const [text, why] of BAD) {
    assert.throws(() => parseService(text), (error) => {
      assert(error instanceof SyntaxError, `${text}: ${error}`);
      assert.match(error.message, why);
      assert(error.message.includes(`"${text}"`), `${error.message} does not quote "${text}"`);
      return true;
    }, text);
  }
});

test("a network covers exactly the addresses that share its prefix", () => {
  const ip = fc.nat(0xffffffff);
  const dotted = (n: number) => [24, 16, 8, 0].map((shift) => n >>> shift & 255).join(".");
  fc.assert(fc.property(ip, ip, fc.integer({ min: 0, max: 32 }), fc.boolean(), (network, other, bits, near) => {
    const mask = bits === 0 ? 0 : ~0 << (32 - bits);
    const host = near ? (network & mask | other & ~mask) >>> 0 : other;
    const allows = parseService(`${dotted(network)}/${bits}:*`).allows({ host: dotted(host), port: 1 });
    assert.equal(allows, (network & mask) === (host & mask));
  }));
});
