import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_PROXY_V1_HEADER, MAX_PROXY_V2_HEADER } from "../limits.ts";
import type { Address } from "../../protocol/address.ts";
import { encodeProxyHeader, type ProxyHeader, ProxyHeaderReader } from "./header.ts";
import { test } from "../../tests/rig/test.ts";

const text = (value: string) => new TextEncoder().encode(value);
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
const bytes = (value: string) => Uint8Array.from(value.split(" "), (byte) => parseInt(byte, 16));

const SIGNATURE = "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a";
const ALL_ONES = Array(8).fill("ffff").join(":");

/** Takes a header off the front of `stream`, in pieces of `piece` bytes at most. @returns it, and what follows it. */
function take(stream: Uint8Array, piece = Infinity): { header: ProxyHeader | undefined; rest: Uint8Array } {
  const reader = new ProxyHeaderReader();
  let at = 0;
  while (at < stream.length) {
    const count = Math.min(piece, reader.wanted);
    assert(count >= 1);
    const header = reader.feed(stream.subarray(at, at + count));
    at += count;
    if (header) return { header, rest: stream.subarray(at) };
  }
  return { header: undefined, rest: new Uint8Array(0) };
}

function read(stream: Uint8Array): ProxyHeader | undefined {
  return take(stream).header;
}

const V1_LINES: readonly [source: Address | undefined, destination: Address | undefined, line: string][] = [
  // The examples of the specification, §2.1, and its longest lines.
  [
    { host: "192.168.0.1", port: 56324 },
    { host: "192.168.0.11", port: 443 },
    "TCP4 192.168.0.1 192.168.0.11 56324 443",
  ],
  [
    { host: "255.255.255.255", port: 65535 },
    { host: "255.255.255.255", port: 65535 },
    "TCP4 255.255.255.255 255.255.255.255 65535 65535",
  ],
  [{ host: ALL_ONES, port: 65535 }, { host: ALL_ONES, port: 65535 }, `TCP6 ${ALL_ONES} ${ALL_ONES} 65535 65535`],
  [{ host: "2001:db8:0:0:1::1", port: 1 }, { host: "::1", port: 0 }, "TCP6 2001:db8::1:0:0:1 ::1 1 0"],
  [{ host: "1::", port: 1 }, { host: "::", port: 2 }, "TCP6 1:: :: 1 2"],
  [{ host: "1:0:2:0:0:3:4:5", port: 1 }, { host: "1:0:2:3:4:5:6:7", port: 2 }, "TCP6 1:0:2::3:4:5 1:0:2:3:4:5:6:7 1 2"],
  [{ host: "1.2.3.4", port: 5 }, { host: "::1", port: 6 }, "TCP6 ::ffff:102:304 ::1 5 6"],
  [{ host: "fe80::1%eth0", port: 5 }, { host: "1.2.3.4", port: 6 }, "TCP6 fe80::1 ::ffff:102:304 5 6"],
  [{ host: "::ffff:1.2.3.4", port: 5 }, { host: "5.6.7.8", port: 6 }, "TCP4 1.2.3.4 5.6.7.8 5 6"],
  [undefined, { host: "1.2.3.4", port: 1 }, "UNKNOWN"],
  [{ host: "1.2.3.4", port: 1 }, undefined, "UNKNOWN"],
  [{ host: "client.example", port: 1 }, { host: "1.2.3.4", port: 1 }, "UNKNOWN"],
];

for (const [source, destination, line] of V1_LINES) {
  test(`version 1 writes: PROXY ${line}`, () => {
    assert.deepEqual(encodeProxyHeader(1, source, destination), text(`PROXY ${line}\r\n`));
  });
}

const V2_HEADERS: readonly [source: Address | undefined, destination: Address | undefined, header: string][] = [
  [
    { host: "192.168.0.1", port: 56324 },
    { host: "192.168.0.11", port: 443 },
    "21 11 00 0c c0 a8 00 01 c0 a8 00 0b dc 04 01 bb",
  ],
  [
    { host: "2001:db8::1", port: 1 },
    { host: "10.0.0.1", port: 65535 },
    "21 21 00 24 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 " +
    "00 00 00 00 00 00 00 00 00 00 ff ff 0a 00 00 01 00 01 ff ff",
  ],
  [undefined, undefined, "20 00 00 00"],
  [{ host: "client.example", port: 1 }, { host: "1.2.3.4", port: 1 }, "20 00 00 00"],
];

for (const [source, destination, header] of V2_HEADERS) {
  test(`version 2 writes: ${header}`, () => {
    assert.equal(hex(encodeProxyHeader(2, source, destination)), `${SIGNATURE} ${header}`);
  });
}

const port = fc.nat(65535);
const v4: fc.Arbitrary<Address> = fc.record({ host: fc.ipV4(), port }, { noNullPrototype: true });
const v6: fc.Arbitrary<Address> = fc.record({
  host: fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
    .filter((groups) => groups.slice(0, 5).some((group) => group !== 0)) // not IPv4 in the clothes of IPv6
    .map((groups) => new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1)),
  port,
}, { noNullPrototype: true });
const address = fc.oneof(v4, v6);
const version = fc.constantFrom(1 as const, 2 as const);

test("what is written is read back, in pieces of every size, and not a byte behind it is taken", () => {
  fc.assert(
    fc.property(version, address, address, fc.uint8Array({ maxLength: 30 }), (version, source, destination, rest) => {
      const header = encodeProxyHeader(version, source, destination);
      const whole = Uint8Array.of(...header, ...rest);
      for (let piece = 1; piece <= whole.length; piece++) {
        const taken = take(whole, piece);
        assert.deepEqual(taken.header, { source });
        assert.deepEqual(taken.rest, rest);
      }
      for (let cut = 0; cut < header.length; cut++) assert.equal(read(header.subarray(0, cut)), undefined);
    }),
    { numRuns: 40 },
  );
});

test("what is written is read back byte by byte", () => {
  fc.assert(fc.property(version, fc.option(address, { nil: undefined }), address, (version, source, destination) => {
    const reader = new ProxyHeaderReader();
    const header = encodeProxyHeader(version, source, destination);
    const answers = Array.from(header, (byte) => reader.feed(Uint8Array.of(byte)));
    assert.deepEqual(answers.pop(), { ...source && { source } });
    assert(answers.every((answer) => answer === undefined));
  }));
});

test("an empty chunk changes nothing", () => {
  const reader = new ProxyHeaderReader();
  assert.equal(reader.feed(new Uint8Array(0)), undefined);
  assert.equal(reader.feed(text("PROXY UNK")), undefined);
  assert.equal(reader.feed(new Uint8Array(0)), undefined);
  assert.deepEqual(reader.feed(text("NOWN\r\n")), {});
});

test("a sender of version 1 that does not know the client may add what it likes, up to the longest line", () => {
  const longest = `PROXY UNKNOWN ${ALL_ONES} ${ALL_ONES} 65535 65535\r\n`;
  assert.equal(longest.length, MAX_PROXY_V1_HEADER);
  assert.deepEqual(take(text(`${longest}hello`)), { header: {}, rest: text("hello") });
});

test("a line of version 1 without an end is given up at its greatest length", () => {
  const reader = new ProxyHeaderReader();
  const line = text(`PROXY UNKNOWN ${"x".repeat(200)}`);
  assert.equal(reader.feed(line.subarray(0, MAX_PROXY_V1_HEADER - 1)), undefined);
  assert.throws(() => reader.feed(line.subarray(MAX_PROXY_V1_HEADER - 1, MAX_PROXY_V1_HEADER)), /no end within 107/);
});

const TCP4 = "c0 a8 00 01 c0 a8 00 0b dc 04 01 bb";
const CLIENT = { host: "192.168.0.1", port: 56324 };

test("what follows the addresses in version 2 is skipped, up to the largest header", () => {
  assert.deepEqual(take(bytes(`${SIGNATURE} 21 11 00 12 ${TCP4} 04 00 03 61 62 63 ff`)), {
    header: { source: CLIENT },
    rest: Uint8Array.of(255),
  });
  const extra = MAX_PROXY_V2_HEADER - 16 - 12;
  const size = `${((extra + 12) >> 8).toString(16)} ${((extra + 12) & 255).toString(16)}`;
  const largest = Uint8Array.of(...bytes(`${SIGNATURE} 21 11 ${size} ${TCP4}`), ...new Uint8Array(extra), 1, 2, 3);
  assert.deepEqual(take(largest), { header: { source: CLIENT }, rest: Uint8Array.of(1, 2, 3) });
});

test("a header of version 2 that is too large is refused by its first 16 bytes", () => {
  assert.throws(() => read(bytes(`${SIGNATURE} 21 11 02 09`)), /has 537 bytes, and 536 are taken at most/);
});

test("version 2 gives no client when it speaks for itself, or of what is not TCP", () => {
  // A health check, with and without addresses; unspecified; UDP; a Unix socket.
  for (const header of ["20 00 00 00", `20 11 00 0c ${TCP4}`, "21 00 00 00", `21 12 00 0c ${TCP4}`, "21 31 00 01 61"]) {
    assert.deepEqual(read(bytes(`${SIGNATURE} ${header}`)), {}, header);
  }
});

test("a client whose IPv4 address is written as IPv6 has an IPv4 address", () => {
  const v6 = "00 00 00 00 00 00 00 00 00 00 ff ff c0 a8 00 01";
  assert.deepEqual(read(bytes(`${SIGNATURE} 21 21 00 24 ${v6} ${v6} dc 04 01 bb`))?.source, CLIENT);
  assert.deepEqual(read(text("PROXY TCP6 ::ffff:192.168.0.1 ::1 56324 443\r\n"))?.source, CLIENT);
});

for (
  const line of [
    "PROXY\r\n",
    "PROXY \r\n",
    "PROXY UNKNOWNX\r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
    "PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n",
    "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.256 1 2\r\n",
    "PROXY TCP4 ::1 ::1 1 2\r\n",
    "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
    "PROXY UNKNOWN x\ry\r\n",
    "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
    "GET / HTTP/1.1\r\n",
    "\r\n\r\nhello",
    "P\r\n",
  ]
) {
  test(`refused: ${JSON.stringify(line)}`, () => {
    assert.throws(() => read(text(line)), (error) => error instanceof SyntaxError && !error.message.includes("\n"));
  });
}

for (
  const [what, header] of [
    ["version 1 in the clothes of version 2", "11 11 00 0c"],
    ["a command that is not known", "22 11 00 0c"],
    ["a family that is not known", "21 41 00 0c"],
    ["a protocol that is not known", "21 13 00 0c"],
    ["IPv4 in too few bytes", "21 11 00 0b"],
    ["IPv6 in too few bytes", "21 21 00 23"],
  ] as const
) {
  test(`refused in version 2: ${what}`, () => {
    assert.throws(() => read(bytes(`${SIGNATURE} ${header}`)), SyntaxError);
  });
}

test("what is no header is refused at the first byte that shows it", () => {
  for (const start of ["PROXY ", "\r\n\r\n\0\r\nQUIT\n"]) {
    for (let at = 0; at < start.length; at++) {
      const reader = new ProxyHeaderReader();
      assert.equal(reader.feed(text(start.slice(0, at))), undefined);
      assert.throws(() => reader.feed(text("!")), /expected a PROXY header/);
    }
  }
});

test("garbage in any pieces is refused or waited for within bounds, and nothing else happens", () => {
  const garbage = fc.tuple(
    fc.constantFrom([], [...text("PROXY ")], [...text("PROXY TCP4 ")], [...bytes(`${SIGNATURE} 21`)]),
    fc.array(fc.nat(255), { maxLength: 700 }),
  ).map(([start, rest]) => Uint8Array.of(...start, ...rest));
  fc.assert(fc.property(garbage, fc.integer({ min: 1, max: 700 }), (garbage, piece) => {
    const reader = new ProxyHeaderReader();
    try {
      for (let at = 0; at < garbage.length;) {
        const count = Math.min(piece, reader.wanted);
        if (reader.feed(garbage.subarray(at, at + count))) return;
        at += count;
      }
    } catch (error) {
      assert(error instanceof SyntaxError, `${error}`);
      return;
    }
    assert(garbage.length < MAX_PROXY_V2_HEADER, "it waits for ever");
  }));
});
