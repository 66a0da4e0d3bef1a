import assert from "node:assert/strict";
import { goodbye, goodbyeFrame } from "./goodbye.ts";
import { ackFrame, creditFrame, flagAcknowledge, pingFrame, pongFrame, v2Frame, writeV2Header } from "./codec.ts";
import { V2_PREAMBLE, V2Command } from "./commands.ts";
import { welcomeFrame } from "./handshake.ts";
import { closeFrame, connectFrame, grantsFrame, listenFrame, resultFrame, settingsFrame } from "./messages.ts";
import { hex, unhex } from "../../../tests/rig/bytes.ts";
import { test } from "../../../tests/rig/test.ts";

test("the preamble is SALLY2 and a line break of a network, so a text-mangling middle is noticed", () => {
  assert.equal(hex(V2_PREAMBLE), "53 41 4c 4c 59 32 0d 0a");
});

test("a header is payload size, command, flags and channel, big-endian", () => {
  assert.equal(hex(v2Frame(V2Command.END, 0x01020304)), "00 00 06 00 01 02 03 04");
  assert.equal(hex(v2Frame(V2Command.END, 0xffff_ffff)), "00 00 06 00 ff ff ff ff");
  assert.equal(hex(v2Frame(V2Command.END, 0x8000_0000)), "00 00 06 00 80 00 00 00");
  assert.equal(hex(v2Frame(V2Command.DATA, 7, unhex("68 69"))), "00 02 03 00 00 00 00 07 68 69");
  assert.equal(hex(v2Frame(V2Command.DATA, 1, new Uint8Array(65_535)).subarray(0, 8)), "ff ff 03 00 00 00 00 01");
  assert.throws(() => v2Frame(V2Command.DATA, 1, new Uint8Array(65_536)), RangeError);
});

test("a header is written into the headroom where it is told, without flags, and leaves the payload alone", () => {
  const frame = unhex("ee ff ff ff ff ff ff ff ff 68 69");
  writeV2Header(frame, 1, 2, V2Command.DATA, 300);
  assert.equal(hex(frame), "ee 00 02 03 00 00 00 01 2c 68 69");
  flagAcknowledge(frame, 1);
  assert.equal(hex(frame), "ee 00 02 03 01 00 00 01 2c 68 69");
});

test("CONNECT is as the specification says", () => {
  const request = { service: 258, client: "192.0.2.7:5", hostAddress: "[::]:22", credit: 65_536 };
  assert.equal(
    hex(connectFrame(7, request)),
    "00 24 01 00 00 00 00 07 01 00 02 01 02 02 00 0b 31 39 32 2e 30 2e 32 2e 37 3a 35 " +
      "03 00 07 5b 3a 3a 5d 3a 32 32 04 00 04 00 01 00 00",
  );
});

test("CONNECT to an address that the server names is as the specification says", () => {
  const service = { name: "web", address: "10.0.0.7:80" };
  const request = { service, client: "192.0.2.7:5", hostAddress: "[::]:22", credit: 65_536 };
  assert.equal(
    hex(connectFrame(7, request)),
    "00 33 01 00 00 00 00 07 02 00 0b 31 39 32 2e 30 2e 32 2e 37 3a 35 03 00 07 5b 3a 3a 5d 3a 32 32 " +
      "04 00 04 00 01 00 00 05 00 0b 31 30 2e 30 2e 30 2e 37 3a 38 30 06 00 03 77 65 62",
  );
});

test("CLOSE and RESULT are as the specification says", () => {
  assert.equal(hex(closeFrame(7, "client-reset", "why")), "00 04 02 00 00 00 00 07 02 77 68 79");
  assert.equal(hex(closeFrame(7, "service-closed")), "00 01 02 00 00 00 00 07 03");
  assert.equal(hex(resultFrame(7, "connected", 49_152)), "00 05 05 00 00 00 00 07 00 00 00 c0 00");
  assert.equal(hex(resultFrame(7, "service-refused", 0, "no")), "00 07 05 00 00 00 00 07 0d 00 00 00 00 6e 6f");
});

test("LISTEN is as the specification says, from either side", () => {
  const offers = [{ number: 1, offered: true, name: "ssh" }, { number: 256, offered: false, name: "w" }];
  assert.equal(hex(listenFrame(offers)), "00 0c 04 00 00 00 00 00 00 01 01 03 73 73 68 01 00 00 01 77");
  assert.equal(
    hex(
      grantsFrame([{ number: 1, code: "granted", text: "a:1" }, { number: 258, code: "too-many-services", text: "" }]),
    ),
    "00 0b 04 00 00 00 00 00 00 01 00 03 61 3a 31 01 02 03 00",
  );
});

test("CREDIT, ACK, PING and PONG are as the specification says", () => {
  assert.equal(hex(creditFrame(7, 0xfffe_fdfc)), "00 04 07 00 00 00 00 07 ff fe fd fc");
  assert.equal(hex(ackFrame(2 ** 40 + 5)), "00 08 45 00 00 00 00 00 00 00 01 00 00 00 00 05");
  assert.equal(hex(pingFrame(3, 4)), `00 10 46 00 00 00 00 00 ${"00 ".repeat(7)}03 ${"00 ".repeat(7)}04`);
  assert.equal(
    hex(pongFrame(3, unhex("01 02 03 04 05 06 07 08"), 1_700_000_000_000)),
    `00 18 47 00 00 00 00 00 ${"00 ".repeat(7)}03 01 02 03 04 05 06 07 08 00 00 01 8b cf e5 68 00`,
  );
});

test("SETTINGS is as the specification says: seconds with a sign, and modes by number", () => {
  const keepAlive = { idleTimeout: 1_000, probeInterval: 300_000, probeCount: 2 };
  const wantedKeepAlive = { idleTimeout: -1, probeInterval: 32_767_000, probeCount: 0 };
  assert.equal(
    hex(settingsFrame({ keepAlive, wantedKeepAlive, mode: "config", wantedMode: "run" })),
    "00 18 08 00 00 00 00 00 01 00 05 00 01 01 2c 02 02 00 05 ff ff 7f ff 00 03 00 01 01 04 00 01 02",
  );
  assert.equal(hex(settingsFrame({ mode: "init" })), "00 04 08 00 00 00 00 00 03 00 01 00");
});

test("WELCOME is as the specification says", () => {
  const session = Uint8Array.from({ length: 16 }, (_, at) => at);
  assert.equal(
    hex(welcomeFrame({ session, name: "gw", maxChannels: 65_536, remote: "a:1" })),
    "00 25 43 00 00 00 00 00 01 00 10 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f " +
      "02 00 02 67 77 03 00 04 00 01 00 00 04 00 03 61 3a 31",
  );
});

test("GOODBYE is as the specification says", () => {
  assert.equal(hex(goodbyeFrame(goodbye("replaced", "new"))), "00 0a 44 00 00 00 00 00 01 00 01 02 02 00 03 6e 65 77");
  assert.equal(
    hex(goodbyeFrame(goodbye("incompatible", "", [2, 3]))),
    "00 13 44 00 00 00 00 00 01 00 01 09 02 00 00 03 00 04 00 00 ea 60 04 00 02 02 03",
  );
  assert.equal(
    hex(goodbyeFrame(goodbye("bad-enrolment", ""))),
    "00 0e 44 00 00 00 00 00 01 00 01 08 02 00 00 03 00 04 ff ff ff ff",
  );
});
