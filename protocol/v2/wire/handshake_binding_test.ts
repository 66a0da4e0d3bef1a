/**
 * A handshake that is bound to its TLS connection, with real keys, and somebody in the middle who ends TLS on both sides of
 * himself.
 */
import assert from "node:assert/strict";
import { systemCrypto } from "../../../relay/handshake.ts";
import { CAN_BIND, CAN_RESUME, DeviceHandshake, HAS_EPOCHS, ServerHandshake } from "./handshake.ts";
import { concat } from "../../bytes.ts";
import { uintOf } from "../_fakes_test.ts";
import {
  DEVICE,
  deviceParty,
  failure,
  flip,
  HEADER,
  type Middle,
  PREAMBLE,
  SERVER,
  serverParty,
  shake,
  SIGNATURE_FIELD,
} from "./_handshake_fixture_test.ts";
import { test } from "../../../tests/rig/test.ts";

const EXPORTER = Uint8Array.from({ length: 32 }, (_, at) => 200 - at);
const ANOTHER = flip(31)(EXPORTER.slice());

/** Where the capabilities stand: behind the preamble, a header and the versions; behind a header and the version. */
const IN_HELLO = PREAMBLE + HEADER + 5 + 3;
const IN_CHALLENGE = HEADER + 4 + 3;

/** Sets the capabilities in a message to `bits`. */
function withCapabilities(at: number, bits: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    bytes.set(uintOf(4, bits), at);
    return bytes;
  };
}

test("two sides with the exporter of one connection are bound, and sign it as the specification says", async () => {
  const device = new DeviceHandshake(deviceParty({ exporter: EXPORTER }), systemCrypto);
  const server = new ServerHandshake(serverParty({ exporter: EXPORTER }), systemCrypto);
  assert.equal(device.bound, false, "nothing is known yet");
  const challenge = await server.challenge(device.hello.subarray(PREAMBLE));
  const auth = await device.answer(challenge);
  assert.equal(device.bound, true);
  assert.equal((await server.authenticate(auth.subarray(HEADER))).capabilities, CAN_BIND);
  const label = (role: string) => new TextEncoder().encode(`sallyport v2 ${role}\0`);
  const end = challenge.length - SIGNATURE_FIELD;
  const byServer = concat([label("server"), device.hello, challenge.subarray(0, end), EXPORTER]);
  assert(await systemCrypto.verify(SERVER.publicKey, challenge.subarray(end + 3), byServer));
  const byDevice = concat([label("device"), device.hello, challenge, EXPORTER]);
  assert(await systemCrypto.verify(DEVICE.publicKey, auth.subarray(HEADER + 3), byDevice));
});

test("between two TLS connections the device notices before it signs, and the server before it lets anybody in", async () => {
  const signer = { publicKey: DEVICE.publicKey, sign: () => assert.fail("the device signed something") };
  for (let bit = 0; bit < 256; bit++) {
    const exporter = flip(bit >> 3, 1 << (bit & 7))(EXPORTER.slice());
    const code = await failure(shake(deviceParty({ exporter, signer }), serverParty({ exporter: EXPORTER })));
    assert.equal(code, "bad-credentials", `bit ${bit}`);
  }
  // A device that does not look is let in nowhere: what it signs is for the connection that it has.
  const careless = { ...systemCrypto, verify: () => Promise.resolve(true) };
  const device = new DeviceHandshake(deviceParty({ exporter: ANOTHER }), careless);
  const server = new ServerHandshake(serverParty({ exporter: EXPORTER }), systemCrypto);
  const auth = await device.answer(await server.challenge(device.hello.subarray(PREAMBLE)));
  assert.equal(await failure(server.authenticate(auth.subarray(HEADER))), "bad-credentials");
});

test("where one side has no exporter the link is not bound, both know it, and nothing else changes", async () => {
  for (const [device, server] of [[EXPORTER, undefined], [undefined, EXPORTER], [undefined, undefined]]) {
    const both = await shake(
      deviceParty({ exporter: device, capabilities: CAN_RESUME }),
      serverParty({ exporter: server, capabilities: CAN_RESUME }),
    );
    assert.equal(both.device.bound, false);
    assert.equal(both.authenticated.capabilities, CAN_RESUME);
  }
});

test("nobody in the middle can take the binding away: what both sides said they can do is signed", async () => {
  const all = CAN_RESUME | HAS_EPOCHS | CAN_BIND;
  const party = { capabilities: CAN_RESUME | HAS_EPOCHS, exporter: EXPORTER };
  const own = () => deviceParty({ ...party, nextEpoch: () => 7 });
  for (let less = 0; less < 16; less++) {
    if ((less & CAN_BIND) !== 0) continue;
    const changes: Middle[] = [
      { hello: withCapabilities(IN_HELLO, less) },
      { challenge: withCapabilities(IN_CHALLENGE, less) },
      { hello: withCapabilities(IN_HELLO, less), challenge: withCapabilities(IN_CHALLENGE, less) },
      { hello: withCapabilities(IN_HELLO, less), challenge: withCapabilities(IN_CHALLENGE, all) },
    ];
    for (const middle of changes) {
      assert.equal(await failure(shake(own(), serverParty(party), middle)), "bad-credentials");
    }
  }
  assert.equal((await shake(own(), serverParty(party))).device.bound, true);
});

test("nobody in the middle can make a side believe in a binding that there is not", async () => {
  const changes: Middle[] = [
    { hello: withCapabilities(IN_HELLO, CAN_BIND) },
    { challenge: withCapabilities(IN_CHALLENGE, CAN_BIND) },
    { hello: withCapabilities(IN_HELLO, CAN_BIND), challenge: withCapabilities(IN_CHALLENGE, 0) },
  ];
  for (const middle of changes) {
    assert.equal(await failure(shake(deviceParty(), serverParty({ exporter: EXPORTER }), middle)), "bad-credentials");
  }
  const challenge = withCapabilities(IN_CHALLENGE, CAN_BIND);
  const alone = shake(deviceParty({ exporter: EXPORTER }), serverParty(), { challenge });
  assert.equal(await failure(alone), "bad-credentials");
});

test("a recorded AUTH is of no use on another connection, and neither is the proof of an enrolment", async () => {
  const enrolment = { id: new Uint8Array(8).fill(4), key: new Uint8Array(32).fill(5) };
  const [own, theirs] = [deviceParty({ enrolment, exporter: EXPORTER }), serverParty({ exporter: EXPORTER })];
  let auth = new Uint8Array();
  const { authenticated } = await shake(own, theirs, { auth: (bytes) => auth = bytes.slice() });
  assert.equal(await authenticated.provesToken(enrolment.key), true);

  // The same nonces, which honest sides never use again, so that the connection alone differs.
  const server = new ServerHandshake({ ...theirs, exporter: ANOTHER }, systemCrypto);
  await server.challenge(new DeviceHandshake(own, systemCrypto).hello.subarray(PREAMBLE));
  assert.equal(await failure(server.authenticate(auth.subarray(HEADER))), "bad-credentials");
  const trusting = new ServerHandshake({ ...theirs, exporter: ANOTHER }, {
    ...systemCrypto,
    verify: () => Promise.resolve(true),
  });
  await trusting.challenge(new DeviceHandshake(own, systemCrypto).hello.subarray(PREAMBLE));
  const taken = await trusting.authenticate(auth.subarray(HEADER));
  assert.equal(await taken.provesToken(enrolment.key), false);
});

test("an exporter of another size is a mistake of the program", () => {
  for (const size of [0, 31, 33]) {
    const exporter = new Uint8Array(size);
    assert.throws(() => new DeviceHandshake(deviceParty({ exporter }), systemCrypto), RangeError);
    assert.throws(() => new ServerHandshake(serverParty({ exporter }), systemCrypto), RangeError);
  }
});
