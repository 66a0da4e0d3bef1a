import assert from "node:assert/strict";
import fc from "fast-check";
import { V2_HEADER_SIZE } from "../limits.ts";
import { CHANNEL_END_REASONS, type ChannelEndReason } from "../../reasons.ts";
import {
  closeFrame,
  connectFrame,
  DEVICE_MODES,
  GRANT_CODES,
  grantsFrame,
  listenFrame,
  readClose,
  readConnectRequest,
  readGrants,
  readListen,
  readResult,
  readSettings,
  resultFrame,
  settingsFrame,
} from "./messages.ts";
import { ADAPTIVE_KEEP_ALIVE, METERED_KEEP_ALIVE, V2_KEEP_ALIVE } from "../../keep_alive.ts";
import { concat } from "../../bytes.ts";
import { fieldOf, protocolError, uintOf } from "../_fakes_test.ts";
import { test } from "../../../tests/rig/test.ts";
import { unhex } from "../../../tests/rig/bytes.ts";

const payloadOf = (frame: Uint8Array) => frame.subarray(V2_HEADER_SIZE);
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const u16 = fc.nat(65_535);
const u32 = fc.nat(0xffff_ffff);
const PLAIN = { noNullPrototype: true };
const READERS = [readClose, readResult, readConnectRequest, readListen, readGrants, readSettings];

/** The reasons that travel. */
const TRAVEL: readonly ChannelEndReason[] = [
  ...["client-closed", "client-reset", "service-closed", "service-reset", "service-unreachable"] as const,
  ...["connect-timeout", "not-allowed", "too-many-channels", "shutting-down", "idle-timeout"] as const,
  ...["service-withdrawn", "service-down", "service-refused", "stalled"] as const,
];

test("CLOSE and RESULT bring back what was said", () => {
  fc.assert(fc.property(fc.constantFrom(...TRAVEL), text, u32, (reason, text, credit) => {
    assert.deepEqual(readClose(payloadOf(closeFrame(9, reason, text))), { reason, text });
    assert.deepEqual(readResult(payloadOf(resultFrame(9, reason, credit, text))), { reason, credit, text });
    const connected = readResult(payloadOf(resultFrame(9, "connected", credit, text)));
    assert.deepEqual(connected, { reason: undefined, credit, text });
  }));
});

/** Ends by a rule: the device has to see a reset. */
const RULED = ["time-limit", "outside-hours", "access-closed", "draining"];

test("a reason that does not travel goes as the nearest that does, and never as connected", () => {
  for (const reason of CHANNEL_END_REASONS) {
    if (reason === "closed-by-admin") {
      assert.equal(readClose(payloadOf(closeFrame(1, reason))).reason, "client-reset");
      continue;
    }
    const known = TRAVEL.includes(reason);
    const nearest = RULED.includes(reason) ? "not-allowed" : "service-closed";
    assert.equal(readClose(payloadOf(closeFrame(1, reason))).reason, known ? reason : nearest);
    assert.equal(readResult(payloadOf(resultFrame(1, reason, 0))).reason, known ? reason : "service-unreachable");
  }
});

test("an unknown reason of CLOSE is an end in order, so that nothing is dropped; one of RESULT is a failure", () => {
  for (const number of [0, 15, 16, 127, 255]) {
    assert.equal(readClose(Uint8Array.of(number)).reason, "service-closed", `CLOSE ${number}`);
    if (number > 0) {
      assert.equal(readResult(Uint8Array.of(number, 0, 0, 0, 0)).reason, "service-unreachable", `RESULT ${number}`);
    }
  }
});

test("CLOSE and RESULT of sizes that they cannot have are refused", () => {
  assert.equal(protocolError(() => readClose(new Uint8Array(0))), "bad-size");
  for (const size of [0, 1, 4]) assert.equal(protocolError(() => readResult(new Uint8Array(size))), "bad-size");
  assert.equal(readClose(concat([Uint8Array.of(1), new Uint8Array(200).fill(97)])).text, "a".repeat(200));
  assert.equal(protocolError(() => readClose(new Uint8Array(202))), "bad-size");
  assert.equal(protocolError(() => readResult(new Uint8Array(206))), "bad-size");
});

test("CONNECT brings back what was said", () => {
  fc.assert(fc.property(u16, text, text, u32, (service, client, hostAddress, credit) => {
    const request = { service, client, hostAddress, credit };
    assert.deepEqual(readConnectRequest(payloadOf(connectFrame(3, request))), request);
  }));
});

test("CONNECT brings back what the server names; with a number as well, or without a name, it is refused", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/);
  fc.assert(fc.property(name, text, text, u32, (name, address, client, credit) => {
    const request = { service: { name, address }, client, hostAddress: "", credit };
    assert.deepEqual(readConnectRequest(payloadOf(connectFrame(3, request))), request);
  }));
  const field = (tag: number, text: string) => fieldOf(tag, new TextEncoder().encode(text));
  const [number, credit, address] = [fieldOf(1, uintOf(2, 1)), fieldOf(4, uintOf(4, 9)), field(5, "a:1")];
  for (
    const parts of [[number, credit, address, field(6, "x")], [credit, address], [credit, field(6, "x")], [
      number,
      credit,
      field(6, "x"),
    ], [credit, address, field(6, "a b")]]
  ) {
    assert.equal(protocolError(() => readConnectRequest(concat(parts))), "bad-field");
  }
});

test("CONNECT without its service or its credit, or with sizes that those cannot have, is refused", () => {
  const [service, credit] = [fieldOf(1, uintOf(2, 1)), fieldOf(4, uintOf(4, 9))];
  assert.deepEqual(readConnectRequest(concat([credit, service])), {
    service: 1,
    client: "",
    hostAddress: "",
    credit: 9,
  });
  for (
    const parts of [
      [service],
      [credit],
      [fieldOf(1, uintOf(1, 1)), credit],
      [service, fieldOf(4, uintOf(8, 1))],
      [service, credit, fieldOf(5, uintOf(1, 1))],
      [service, credit, fieldOf(2, new Uint8Array(201))],
    ]
  ) assert.equal(protocolError(() => readConnectRequest(concat(parts))), "bad-field");
});

const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/);

test("LISTEN brings back services and answers in their order, up to 256 of them", () => {
  const offer = fc.record({ number: u16, offered: fc.boolean(), name }, PLAIN);
  fc.assert(fc.property(fc.uniqueArray(offer, { maxLength: 256, selector: (one) => one.name }), (offers) => {
    assert.deepEqual(readListen(payloadOf(listenFrame(offers))), offers);
  }));
  const grant = fc.record({ number: u16, code: fc.constantFrom(...GRANT_CODES), text }, PLAIN);
  fc.assert(fc.property(fc.array(grant, { maxLength: 256 }), (grants) => {
    assert.deepEqual(readGrants(payloadOf(grantsFrame(grants))), grants);
  }));
});

test("LISTEN asks for a service without offering it, in the bytes of the specification; one that is offered is not asked for", async () => {
  const text = await Deno.readTextFile(new URL("../v2.md", import.meta.url));
  const [, bytes] = /^# LISTEN: number 8, asked for, "ssh"\n(.*)$/m.exec(text)!;
  const asked = { number: 8, offered: false, name: "ssh", asked: true } as const;
  assert.deepEqual(listenFrame([asked]), unhex(bytes!.replaceAll(/\s+/g, " ")));
  assert.deepEqual(readListen(payloadOf(listenFrame([asked]))), [asked]);
  const both = { ...asked, datagrams: true } as const;
  assert.deepEqual(readListen(payloadOf(listenFrame([both]))), [both]);
  assert.deepEqual(readListen(unhex("00 07 05 01 61")), [{ number: 7, offered: true, name: "a" }]);
});

test("the largest LISTEN fits into a frame", () => {
  const text = "x".repeat(200);
  const grants = Array.from({ length: 256 }, (_, number) => ({ number, code: "granted" as const, text }));
  assert.deepEqual(readGrants(payloadOf(grantsFrame(grants))), grants);
});

test("LISTEN of more than 256 services is refused, and one that ends inside an entry", () => {
  const offers = Array.from({ length: 257 }, (_, number) => ({ number, offered: true, name: `s${number}` }));
  assert.equal(readListen(payloadOf(listenFrame(offers.slice(1)))).length, 256);
  assert.equal(protocolError(() => readListen(payloadOf(listenFrame(offers)))), "bad-size");
  assert.equal(protocolError(() => readGrants(new Uint8Array(257 * 4))), "bad-size");
  for (const reads of [readListen, readGrants]) {
    const whole = unhex("00 01 01 03 73 73 68 00 02 00 01 61");
    for (let end = 0; end <= whole.length; end++) {
      const expected = end === 0 || end === 7 || end === 12 ? "nothing" : "bad-size";
      assert.equal(protocolError(() => reads(whole.slice(0, end))), expected, `cut at ${end}`);
    }
  }
});

test("an offer whose name is none is refused: it would stand in lines for scripts and terminals", () => {
  for (const name of ["", "a b", "a\n", "\u001b[2J", "é", "a/b", "a".repeat(64), "a\0"]) {
    const bytes = new TextEncoder().encode(name);
    const payload = Uint8Array.of(0, 1, 1, bytes.length, ...bytes);
    assert.equal(protocolError(() => readListen(payload)), "bad-field", JSON.stringify(name));
  }
  assert.equal(readListen(Uint8Array.of(0, 1, 1, 63, ...new Uint8Array(63).fill(0x41)))[0]?.name.length, 63);
});

test("an offer that names a service twice is refused", () => {
  const offer = { number: 1, offered: true, name: "ssh" };
  for (const again of [offer, { ...offer, number: 2 }, { ...offer, offered: false }]) {
    const payload = payloadOf(listenFrame([offer, { ...offer, name: "web" }, again]));
    assert.equal(protocolError(() => readListen(payload)), "bad-field");
  }
});

test("only bit 0 of an offer's flags is looked at, and an unknown code of an answer is a refusal", () => {
  assert.equal(readListen(unhex("00 01 fe 01 61"))[0]?.offered, false);
  assert.equal(readListen(unhex("00 01 ff 01 61"))[0]?.offered, true);
  assert.equal(readGrants(unhex("00 01 04 00"))[0]?.code, "closed");
  assert.equal(readGrants(unhex("00 01 05 00"))[0]?.code, "not-granted");
  assert.equal(readGrants(unhex("00 01 ff 00"))[0]?.code, "not-granted");
});

test("SETTINGS brings back what was said, each part only if it was", () => {
  const seconds = fc.oneof(fc.constant(-1), fc.integer({ min: 1, max: 32_767 }).map((s) => s * 1_000));
  const keepAlive = fc.record({ idleTimeout: seconds, probeInterval: seconds, probeCount: fc.nat(127) }, PLAIN);
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
  const mode = maybe(fc.constantFrom(...DEVICE_MODES));
  const settings = fc.record(
    { keepAlive: maybe(keepAlive), wantedKeepAlive: maybe(keepAlive), mode, wantedMode: mode },
    PLAIN,
  );
  fc.assert(fc.property(settings, (settings) => {
    assert.deepEqual(readSettings(payloadOf(settingsFrame(settings))), settings);
  }));
});

test("keep-alive settings beyond what can be in force are clamped, on the way out and on the way in", () => {
  const read = (bytes: string) => readSettings(fieldOf(2, unhex(bytes))).wantedKeepAlive;
  assert.deepEqual(read("00 00 00 00 ff"), { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 127 });
  assert.deepEqual(read("80 00 ff ff 00"), { idleTimeout: -1, probeInterval: -1, probeCount: 0 });
  const keepAlive = { idleTimeout: 1e9, probeInterval: 400, probeCount: 300 };
  assert.deepEqual(readSettings(payloadOf(settingsFrame({ keepAlive }))).keepAlive, {
    idleTimeout: 32_767_000,
    probeInterval: 1_000,
    probeCount: 127,
  });
});

test("SETTINGS with an unknown mode or of a wrong size is refused", () => {
  assert.equal(protocolError(() => readSettings(fieldOf(3, Uint8Array.of(3)))), "bad-field");
  assert.equal(protocolError(() => readSettings(fieldOf(4, Uint8Array.of(255)))), "bad-field");
  assert.equal(protocolError(() => readSettings(fieldOf(1, new Uint8Array(4)))), "bad-field");
  assert.equal(protocolError(() => readSettings(fieldOf(5, new Uint8Array(1)))), "bad-field");
  assert.deepEqual(Object.values(readSettings(fieldOf(129, new Uint8Array(9)))), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("whatever a payload is, reading it throws nothing but a protocol error", () => {
  const small = fc.uint8Array({ maxLength: 40, max: 5 });
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), small), (payload) => {
    for (const reads of READERS) protocolError(() => reads(payload));
  }));
});

test("SETTINGS of sides that adapt has its three fields, and is a mistake of any other", () => {
  const settings = {
    keepAlive: V2_KEEP_ALIVE,
    wantedKeepAlive: V2_KEEP_ALIVE,
    idleKeepAlive: ADAPTIVE_KEEP_ALIVE,
    wantedIdleKeepAlive: METERED_KEEP_ALIVE,
    attention: 10_000,
  };
  const frame = settingsFrame(settings);
  const golden = "00 27 08 00 00 00 00 00 01 00 05 00 01 00 01 02 02 00 05 00 01 00 01 02 " +
    "05 00 05 00 19 00 05 02 06 00 05 00 f0 00 0a 02 07 00 04 00 00 27 10";
  assert.deepEqual(frame, unhex(golden));
  assert.deepEqual(readSettings(payloadOf(frame), true), { ...settings, mode: undefined, wantedMode: undefined });
  for (const field of [{ idleKeepAlive: V2_KEEP_ALIVE }, { wantedIdleKeepAlive: V2_KEEP_ALIVE }, { attention: 0 }]) {
    assert.equal(protocolError(() => readSettings(payloadOf(settingsFrame(field)))), "bad-field");
  }
  const before = settingsFrame({ keepAlive: V2_KEEP_ALIVE });
  assert.equal(readSettings(payloadOf(before), true).idleKeepAlive, undefined, "then it is as while somebody waits");
});
