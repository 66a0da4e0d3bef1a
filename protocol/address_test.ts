import assert from "node:assert/strict";
import { isIP } from "node:net";
import fc from "fast-check";
import { parseIPv4, parseIPv6 } from "./ip.ts";
import { formatAddress, isHost, parseAddress, parsePort } from "./address.ts";
import { test } from "../tests/rig/test.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."))
  .filter((host) => !/^[\d.]+$/.test(host));
const host = fc.oneof(name, fc.ipV4(), fc.ipV6());

test("an address that was formatted is parsed to the same address", () => {
  fc.assert(fc.property(host, fc.nat(65_535), (host, port) => {
    const text = formatAddress({ host, port });
    assert.equal(text.startsWith("["), isIP(host) === 6);
    assert.deepEqual(parseAddress(text), { host, port });
  }));
});

test("addresses as people write them", () => {
  assert.deepEqual(parseAddress("relay.example:2065"), { host: "relay.example", port: 2065 });
  assert.deepEqual(parseAddress("localhost:0"), { host: "localhost", port: 0 });
  assert.deepEqual(parseAddress("[fe80::1%eth0]:22"), { host: "fe80::1%eth0", port: 22 });
  assert.deepEqual(parseAddress("my_plc-7.:65535"), { host: "my_plc-7.", port: 65_535 });
});

const BAD: readonly [text: string, why: RegExp, help?: RegExp][] = [
  ["", /has no port/, /HOST:PORT/],
  ["relay.example", /has no port/, /HOST:PORT/],
  [":22", /has no host/, /HOST:PORT/],
  ["relay.example:", /is not a port/, /0 to 65535/],
  ["relay.example:ssh", /is not a port/, /0 to 65535/],
  ["relay.example:65536", /is not a port/, /0 to 65535/],
  ["relay.example:-1", /is not a port/, /0 to 65535/],
  ["relay.example:2 2", /is not a port/, /0 to 65535/],
  ["relay.example:1e3", /is not a port/, /0 to 65535/],
  ["::1:22", /ambiguous/, /\[::1\]:22/],
  ["[10.0.0.1]:22", /not an IPv6 address/],
  ["[]:22", /not an IPv6 address/],
  ["[::1/64]:22", /neither a host name nor an IP/],
  ["10.0.0.256:22", /neither a host name nor an IP/],
  ["10.0.0:22", /neither a host name nor an IP/],
  ["-a:22", /neither a host name nor an IP/],
  ["a..b:22", /neither a host name nor an IP/],
  ["a b:22", /neither a host name nor an IP/],
  ["http://a:22", /ambiguous|neither|is a URL/],
  [`${"a".repeat(64)}:22`, /neither a host name nor an IP/],
];

test("a bad address is refused with the text, what is wrong and what would do", () => {
  for (const [text, why, help] of BAD) {
    const matches = (error: unknown) => {
      assert(error instanceof SyntaxError, `${text}: ${error}`);
      assert.match(error.message, why);
      if (help) assert.match(error.message, help);
      assert(error.message.includes(`"${text}"`), `${error.message} does not quote ${text}`);
      assert.doesNotMatch(error.message, /\.$/);
      return true;
    };
    assert.throws(() => parseAddress(text), matches, text);
  }
});

test("ports are whole numbers from 0 to 65535", () => {
  assert.equal(parsePort("0"), 0);
  assert.equal(parsePort("65535"), 65_535);
  for (const bad of ["", "65536", "99999", "+1", "0x10", "1.0", " 1", "٣"]) {
    assert.throws(() => parsePort(bad), SyntaxError, bad);
  }
});

test("IPv4 and IPv6 are told apart and read as the runtime reads them", () => {
  const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,24}$/));
  fc.assert(
    fc.property(text, (text) => {
      assert.equal(parseIPv4(text) !== undefined, isIP(text) === 4, text);
      assert.equal(parseIPv6(text) !== undefined, isIP(text) === 6, text);
    }),
    { numRuns: 1_000 },
  );
});

test("the bytes of an IP are those of its long form", () => {
  assert.deepEqual(parseIPv4("10.41.51.152"), [10, 41, 51, 152]);
  assert.deepEqual(parseIPv6("::"), Array<number>(16).fill(0));
  assert.deepEqual(parseIPv6("1:2:3:4:5:6:7:8"), [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]);
  assert.deepEqual(parseIPv6("fd00::1"), [0xfd, ...Array<number>(14).fill(0), 1]);
  assert.deepEqual(parseIPv6("::ffff:1.2.3.4"), [...Array<number>(10).fill(0), 255, 255, 1, 2, 3, 4]);
});

test("a host of 255 characters is the longest", () => {
  const labels = [63, 63, 63].map((size) => "a".repeat(size)).join(".");
  assert.equal(isHost(`${labels}.${"b".repeat(63)}`), true);
  assert.equal(isHost(`${labels}.${"b".repeat(63)}.`), false);
  assert.equal(isHost(""), false);
});

test("what is not TCP is refused by name, and a host that is called so is a host", () => {
  const udp = ["udp://127.0.0.1:53", "udp:127.0.0.1:53", "UDP4:a:1", "127.0.0.1:53/udp", "udp:dns", "quic://a:443"];
  for (const text of udp) assert.throws(() => parseAddress(text), /UDP is not supported here/, text);
  const unix = ["unix:/run/a.sock", "unix:///run/a.sock", "/run/a.sock", "./a.sock", "@abstract", "~/a", "a.sock"];
  for (const text of unix) assert.throws(() => parseAddress(text), /Unix sockets are not supported here; .* TCP/, text);
  for (const text of ["tcp://127.0.0.1:22", "tcp:127.0.0.1:22", "tcp4://127.0.0.1:22/", "127.0.0.1:22/tcp"]) {
    assert.throws(() => parseAddress(text), {
      message: `"${text}": TCP goes without saying; write 127.0.0.1:22 alone`,
    });
  }
  assert.deepEqual(parseAddress("udp:53"), { host: "udp", port: 53 });
  assert.deepEqual(parseAddress("unix:22"), { host: "unix", port: 22 });
});

test("a name in other letters is refused with the form that the DNS has of it", () => {
  const table = {
    "bücher.example:80": "xn--bcher-kva.example",
    "例え.テスト:1": "xn--r8jz45g.xn--zckzah",
    "relay。example:1": "relay.example",
    "ｒelay.example:1": "relay.example",
  };
  for (const [text, ascii] of Object.entries(table)) {
    assert.throws(() => parseAddress(text), new RegExp(`has letters that .*; write it as ${ascii}$`), text);
  }
  for (const text of ["bü cher:1", "ü/x:1", "-ü-:1", "a\u202eb:1"]) {
    assert.throws(() => parseAddress(text), { name: "SyntaxError" }, text);
  }
});
