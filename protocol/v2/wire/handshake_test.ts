/**
 * The handshake with real keys, and somebody in the middle who may do anything to it.
 */
import assert from "node:assert/strict";
import { systemCrypto } from "../../../relay/handshake.ts";
import { CAN_RESUME, DeviceHandshake, HandshakeError, ServerHandshake, V2_VERSIONS } from "./handshake.ts";
import { concat } from "../../bytes.ts";
import { fieldOf, uintOf, v2FrameOf } from "../_fakes_test.ts";
import {
  DEVICE,
  deviceParty,
  failure,
  flip,
  HEADER,
  impostor,
  type Middle,
  nonce,
  PREAMBLE,
  SERVER,
  serverParty,
  shake,
  SIGNATURE_FIELD,
  STRANGER,
} from "./_handshake_fixture_test.ts";
import { hex } from "../../../tests/rig/bytes.ts";
import { test } from "../../../tests/rig/test.ts";

test("two sides that know each other's keys come to terms, and tell each other who they are", async () => {
  const { authenticated } = await shake(deviceParty(), serverParty());
  assert.equal(hex(authenticated.deviceKey), hex(DEVICE.publicKey));
  assert.equal(hex(authenticated.instance), hex(new Uint8Array(16).fill(3)));
  assert.equal(authenticated.deviceClock, 1_700_000_000_123);
  assert.equal(authenticated.software, "d/1");
  assert.equal(authenticated.token, undefined);
  assert.equal(await authenticated.provesToken(new Uint8Array(32)), false);
});

test("HELLO and the signed bytes are as the specification says", async () => {
  const [own, theirs] = [deviceParty(), serverParty()];
  const device = new DeviceHandshake(own, systemCrypto);
  const fields = [
    fieldOf(1, Uint8Array.of(2, 2)),
    fieldOf(2, new Uint8Array(4)),
    fieldOf(3, DEVICE.publicKey),
    fieldOf(4, own.nonce),
    fieldOf(5, uintOf(8, own.wallClock)),
    fieldOf(6, own.instance),
    fieldOf(128, new TextEncoder().encode("d/1")),
  ];
  const preamble = Uint8Array.of(0x53, 0x41, 0x4c, 0x4c, 0x59, 0x32, 0x0d, 0x0a);
  assert.equal(hex(device.hello), hex(concat([preamble, v2FrameOf(0x40, 0, concat(fields))])));

  const server = new ServerHandshake(theirs, systemCrypto);
  const challenge = await server.challenge(device.hello.subarray(PREAMBLE));
  const end = challenge.length - SIGNATURE_FIELD;
  assert.equal(hex(challenge.subarray(end, end + 3)), "06 00 40");
  const label = (role: string) => new TextEncoder().encode(`sallyport v2 ${role}\0`);
  const byServer = concat([label("server"), device.hello, challenge.subarray(0, end)]);
  assert(
    await systemCrypto.verify(SERVER.publicKey, challenge.subarray(end + 3), byServer),
    "the server signs otherwise",
  );
  const auth = await device.answer(challenge);
  const byDevice = concat([label("device"), device.hello, challenge]);
  assert.equal(hex(auth.subarray(HEADER, HEADER + 3)), "01 00 40");
  assert(
    await systemCrypto.verify(DEVICE.publicKey, auth.subarray(HEADER + 3), byDevice),
    "the device signs otherwise",
  );
});

test("any bit of HELLO, CHALLENGE or AUTH that somebody changes makes the handshake fail", async () => {
  const sizes = {
    hello: new DeviceHandshake(deviceParty(), systemCrypto).hello.length,
    challenge: HEADER + 4 + 7 + 35 + 35 + 11 + 6 + SIGNATURE_FIELD,
    auth: HEADER + SIGNATURE_FIELD + 43,
  };
  const enrolment = { id: new Uint8Array(8), key: new Uint8Array(32) };
  let alone = sizes.auth;
  for (const message of ["hello", "challenge", "auth"] as const) {
    for (let at = message === "hello" ? PREAMBLE : 0; at < sizes[message]; at++) {
      // The size and command of a frame are the reader's. The rest of AUTH's header is not looked at; nor does the
      // device sign its enrolment, which has a proof of its own.
      const inHeader = at < HEADER + (message === "hello" ? PREAMBLE : 0);
      if (message === "auth" && inHeader) continue;
      const changed = shake(deviceParty({ enrolment }), serverParty(), { [message]: flip(at, 1 << at % 8) });
      if (message === "auth" && at >= HEADER + SIGNATURE_FIELD + 3) {
        alone--;
        const { authenticated } = await changed;
        const same = hex(authenticated.token ?? nonce()) === hex(enrolment.id);
        assert(!same || !await authenticated.provesToken(enrolment.key), `a proof with byte ${at} changed was taken`);
        continue;
      }
      assert.notEqual(await failure(changed), "nothing", `byte ${at} of ${message} was changed`);
    }
  }
  assert.equal(alone, sizes.auth - 40);
});

test("whoever is not the server that the device knows gets no signature of the device", async () => {
  const cases: [string, () => Promise<unknown>][] = [
    ["another key", () => shake(deviceParty(), serverParty({ signer: STRANGER }))],
    [
      "the right key without its private half",
      () => shake(deviceParty(), serverParty({ signer: impostor(SERVER.publicKey) })),
    ],
    ["a device that expects another", () => shake(deviceParty({ serverKey: STRANGER.publicKey }), serverParty())],
  ];
  for (const [what, attempt] of cases) assert.equal(await failure(attempt()), "bad-credentials", what);
});

test("a device that claims a key and signs with another is not let in", async () => {
  assert.equal(
    await failure(shake(deviceParty({ signer: impostor(DEVICE.publicKey) }), serverParty())),
    "bad-credentials",
  );
});

test("a CHALLENGE of another handshake does not verify", async () => {
  let recorded = new Uint8Array();
  await shake(deviceParty(), serverParty(), { challenge: (bytes) => recorded = bytes.slice() });
  assert.equal(await failure(shake(deviceParty(), serverParty(), { challenge: () => recorded })), "bad-credentials");
});

test("a recorded AUTH does not verify for a new challenge, not even for the same HELLO", async () => {
  const [party, recorded] = [deviceParty(), { hello: new Uint8Array(), auth: new Uint8Array() }];
  await shake(party, serverParty(), {
    hello: (bytes) => recorded.hello = bytes.slice(),
    auth: (bytes) => recorded.auth = bytes.slice(),
  });
  const server = new ServerHandshake(serverParty(), systemCrypto);
  await server.challenge(recorded.hello.subarray(PREAMBLE));
  assert.equal(await failure(server.authenticate(recorded.auth.subarray(HEADER))), "bad-credentials");
});

test("a signature of one role is of no use in the other, even between sides with one key", async () => {
  const server = new ServerHandshake(serverParty(), systemCrypto);
  const device = new DeviceHandshake(deviceParty({ signer: SERVER }), systemCrypto);
  const challenge = await server.challenge(device.hello.subarray(PREAMBLE));
  const reflected = fieldOf(1, challenge.slice(-64));
  assert.equal(await failure(server.authenticate(reflected)), "bad-credentials");

  // The device's own signature, sent back to it as if it were the server's.
  const victim = new DeviceHandshake(deviceParty({ signer: SERVER }), systemCrypto);
  const real = await new ServerHandshake(serverParty(), systemCrypto).challenge(victim.hello.subarray(PREAMBLE));
  const auth = await victim.answer(real);
  const forged = concat([real.subarray(0, -64), auth.subarray(-64)]);
  assert.equal(await failure(victim.answer(forged)), "bad-credentials");
});

test("a HELLO that is sent back as CHALLENGE, and a CHALLENGE as HELLO, lead nowhere", async () => {
  const device = new DeviceHandshake(deviceParty({ signer: SERVER }), systemCrypto);
  assert.equal(await failure(device.answer(device.hello.subarray(PREAMBLE))), "bad-field");
  const server = new ServerHandshake(serverParty(), systemCrypto);
  const challenge = await server.challenge(device.hello.subarray(PREAMBLE));
  assert.equal(await failure(new ServerHandshake(serverParty(), systemCrypto).challenge(challenge)), "bad-field");
});

/** Replaces the value of a field in a frame. */
function withField(frame: Uint8Array, tag: number, value: Uint8Array): Uint8Array {
  const changed = frame.slice();
  for (let at = HEADER; at < frame.length;) {
    if (frame[at] === tag) changed.set(value, at + 3);
    at += 3 + (frame[at + 1]! << 8 | frame[at + 2]!);
  }
  return changed;
}

test("nonces that are swapped or made the same do not verify", async () => {
  const [own, theirs] = [deviceParty(), serverParty()];
  const swapped = (bytes: Uint8Array) => withField(bytes, 4, own.nonce);
  assert.equal(await failure(shake(own, theirs, { challenge: swapped })), "bad-credentials");
  const hello = (bytes: Uint8Array) =>
    concat([bytes.subarray(0, PREAMBLE), withField(bytes.subarray(PREAMBLE), 4, theirs.nonce)]);
  assert.equal(await failure(shake(own, theirs, { hello })), "bad-credentials");
  assert.equal(await failure(shake(own, theirs, { hello, challenge: swapped })), "bad-credentials");
});

test("versions or capabilities that are changed on the way do not verify, in either direction", async () => {
  const inHello = (tag: number, value: Uint8Array) => (bytes: Uint8Array) =>
    concat([bytes.subarray(0, PREAMBLE), withField(bytes.subarray(PREAMBLE), tag, value)]);
  const changes: Middle[] = [
    { hello: inHello(1, Uint8Array.of(0, 2)) },
    { hello: inHello(1, Uint8Array.of(2, 9)) },
    { hello: inHello(2, uintOf(4, 1)) },
    { challenge: (bytes) => withField(bytes, 2, uintOf(4, 1)) },
  ];
  for (const middle of changes) {
    assert.equal(await failure(shake(deviceParty(), serverParty(), middle)), "bad-credentials");
  }
  const downgraded = { challenge: (bytes: Uint8Array) => withField(bytes, 1, Uint8Array.of(1)) };
  assert.equal(await failure(shake(deviceParty(), serverParty(), downgraded)), "incompatible");
});

test("without a common version the device hears of the range that would do, whatever else its HELLO has", async () => {
  const ranges: [number, number][] = [[3, 9], [0, 1], [255, 255], [5, 3]];
  for (const [lowest, highest] of ranges) {
    for (const more of [[], [fieldOf(7, uintOf(4, 1))]]) {
      const hello = v2FrameOf(0x40, 0, concat([fieldOf(1, Uint8Array.of(lowest, highest)), ...more]));
      await assert.rejects(new ServerHandshake(serverParty(), systemCrypto).challenge(hello), (error) => {
        assert(error instanceof HandshakeError);
        assert.equal(error.goodbye.code, "incompatible");
        assert.deepEqual(error.goodbye.versions, V2_VERSIONS);
        return true;
      });
    }
  }
});

test("a device of a range that reaches further is met at the highest version of both", async () => {
  const hello = new DeviceHandshake(deviceParty(), systemCrypto).hello.subarray(PREAMBLE);
  const challenge = await new ServerHandshake(serverParty(), systemCrypto)
    .challenge(withField(hello, 1, Uint8Array.of(0, 200)));
  assert.equal(hex(challenge.subarray(HEADER, HEADER + 4)), "01 00 01 02");
});

test("the proof of an enrolment holds for its secret and for its own handshake only", async () => {
  const [id, key] = [new Uint8Array(8).fill(4), new Uint8Array(32).fill(5)];
  const enrolment = { id, key };
  let auth = new Uint8Array();
  const { authenticated } = await shake(deviceParty({ enrolment }), serverParty(), {
    auth: (bytes) => auth = bytes.slice(),
  });
  assert.equal(hex(authenticated.token!), hex(id));
  assert.equal(await authenticated.provesToken(key), true);
  assert.equal(await authenticated.provesToken(new Uint8Array(32).fill(6)), false);
  assert(!hex(auth).includes(hex(key)), "the key of the proof was sent");

  const replayed = await shake(deviceParty({ enrolment }), serverParty(), {
    auth: (bytes) => concat([bytes.subarray(0, HEADER + SIGNATURE_FIELD), auth.subarray(HEADER + SIGNATURE_FIELD)]),
  });
  assert.equal(await replayed.authenticated.provesToken(key), false, "a proof of another handshake was taken");
  const unenrolled = await shake(deviceParty(), serverParty());
  assert.equal(await unenrolled.authenticated.provesToken(key), false);
});

test("fields that are cut, missing or of other sizes are refused, byte by byte", async () => {
  const device = new DeviceHandshake(deviceParty(), systemCrypto);
  const hello = device.hello.slice(PREAMBLE);
  const challenge = await new ServerHandshake(serverParty(), systemCrypto).challenge(hello);
  for (let end = HEADER; end < hello.length - 6; end++) {
    const cut = new ServerHandshake(serverParty(), systemCrypto).challenge(hello.slice(0, end));
    assert.equal(await failure(cut), "bad-field", `HELLO cut at ${end}`);
  }
  for (let end = HEADER; end < challenge.length; end++) {
    const code = await failure(new DeviceHandshake(deviceParty(), systemCrypto).answer(challenge.slice(0, end)));
    assert(code === "bad-field" || code === "bad-credentials", `CHALLENGE cut at ${end}: ${code}`);
  }
});

test("a session is offered only where both sides can resume, and nobody can change what is offered", async () => {
  const offer = { session: new Uint8Array(16).fill(9), received: 2 ** 40 + 5 };
  let asked = 0;
  const resume = () => {
    asked++;
    return offer;
  };
  const capable = { capabilities: CAN_RESUME, resume };
  const both = await shake(deviceParty(capable), serverParty({ capabilities: CAN_RESUME }));
  assert.deepEqual({ ...both.authenticated.resume }, offer);
  assert.equal(both.authenticated.capabilities, CAN_RESUME);
  assert.equal(asked, 1);
  const one = await shake(deviceParty(capable), serverParty());
  assert.equal(one.authenticated.resume, undefined);
  assert.equal(asked, 1, "a server that cannot was offered a session, and the old link was given up for it");
  for (let bit = 0; bit < 8 * 27; bit++) {
    const auth = (frame: Uint8Array) => flip(frame.length - 27 + (bit >> 3), 1 << (bit & 7))(frame);
    const code = await failure(shake(deviceParty(capable), serverParty({ capabilities: CAN_RESUME }), { auth }));
    assert(code === "bad-credentials" || code === "bad-field", `bit ${bit} of the offer: ${code}`);
  }
});

test("a key for which anybody can sign is turned away, on either side, before anything is signed for it", async () => {
  const weak = Uint8Array.from({ length: 32 }, (_, at) => at === 0 ? 1 : 0);
  const signer = {
    publicKey: weak,
    sign: () => Promise.resolve(concat([weak, new Uint8Array(32)])), // verifies for it, whatever is signed
  };
  const server = serverParty({
    signer: { publicKey: SERVER.publicKey, sign: () => assert.fail("the server signed something") },
  });
  assert.equal(await failure(shake(deviceParty({ signer }), server)), "bad-credentials");
  assert.throws(() => new DeviceHandshake(deviceParty({ serverKey: weak }), systemCrypto), /low order/);
});
