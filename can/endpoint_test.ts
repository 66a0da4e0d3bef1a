/**
 * A CAN bus as users write it.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../tests/rig/test.ts";
import { parseCanEndpoint } from "./endpoint.ts";

test("each kind of bus is read, with its options in any order", () => {
  const DEFAULTS = { bitrate: undefined, wire: "auto", listenOnly: false, maxClients: 64, fd: false };
  assert.deepEqual(parseCanEndpoint("can0"), { ...DEFAULTS, place: { kind: "socketcan", channel: "can0" } });
  assert.deepEqual(parseCanEndpoint("can:can0,bitrate=500000,wire=auto"), {
    ...DEFAULTS,
    bitrate: 500_000,
    place: { kind: "socketcan", channel: "can0" },
  });
  assert.deepEqual(parseCanEndpoint("virtual:lab,listen-only,max-clients=2,fd"), {
    ...DEFAULTS,
    listenOnly: true,
    maxClients: 2,
    fd: true,
    place: { kind: "virtual", channel: "lab" },
  });
  assert.deepEqual(parseCanEndpoint("slcan:/dev/ttyACM0,500000").bitrate, 500_000);
  assert.deepEqual(parseCanEndpoint("slcan:/dev/ttyUSB0,baud=3000000,bitrate=125000").place, {
    kind: "slcan",
    channel: "/dev/ttyUSB0",
    baud: 3_000_000,
  });
  assert.deepEqual(parseCanEndpoint("slcan:tcp:[::1]:2000,wire=slcan").place, {
    kind: "slcan-tcp",
    channel: "[::1]:2000",
    address: { host: "::1", port: 2000 },
  });
});

test("what is wrong is said on one line, with what would do", () => {
  const cases: [string, RegExp][] = [
    ["", /names no bus; write can0/],
    ["can0,speed=5", /"speed=5".*there are bitrate=N/],
    ["can0,bitrate=fast", /bitrate "fast" is not a whole number/],
    ["can0,bitrate=1,bitrate=2", /whole number from 1000|bitrate twice/],
    ["can0,500000,bitrate=250000", /says bitrate twice/],
    ["can0,wire=carrier-pigeon", /none of auto, remote/],
    ["can0,listen-only=yes", /listen-only has no value/],
    ["/dev/ttyACM0", /write slcan:\/dev\/ttyACM0/],
    ["slcan:", /names no adapter/],
    ["slcan:ttyACM0", /names no adapter/],
    ["slcan:tcp:host", /has no port/],
    ["virtual:", /no name of a virtual bus/],
    ["virtual:lab,bitrate=500000", /has no bitrate/],
    ["can0,baud=9600", /baud is for slcan/],
    ["an-interface-with-a-long-name", /no CAN interface/],
    ["vcan:0", /no CAN interface/],
  ];
  for (const [text, message] of cases) assert.throws(() => parseCanEndpoint(text), { name: "SyntaxError", message });
});

test("no text does anything but be read or refused", () => {
  fc.assert(fc.property(fc.string(), fc.constantFrom("", "can0,", "slcan:", "virtual:"), (text, start) => {
    try {
      parseCanEndpoint(start + text);
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
    }
  }));
});
