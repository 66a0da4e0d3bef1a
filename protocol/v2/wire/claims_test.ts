/**
 * What a device claims in AUTH: epochs, and names of sessions in two parts; and peers that know neither.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { systemCrypto } from "../../../relay/handshake.ts";
import { V2_MAX_EPOCH } from "../limits.ts";
import { ProtocolError } from "../../errors.ts";
import { concat } from "../../bytes.ts";
import { fieldOf, uintOf, v2FrameOf } from "../_fakes_test.ts";
import { authTags, claimFields, type Claims, readClaims } from "./claims.ts";
import { FieldReader } from "./fields.ts";
import { CAN_BIND, CAN_RESUME, DeviceHandshake, HAS_EPOCHS, ServerHandshake, welcomeFrame } from "./handshake.ts";
import {
  DEVICE,
  deviceParty,
  failure,
  flip,
  HEADER,
  PREAMBLE,
  SERVER,
  serverParty,
  shake,
  SIGNATURE_FIELD,
  STRANGER,
} from "./_handshake_fixture_test.ts";
import { hex } from "../../../tests/rig/bytes.ts";
import { test } from "../../../tests/rig/test.ts";

const OFFER = { session: new Uint8Array(16).fill(9), received: 2 ** 40 + 5 };
const ALL = CAN_RESUME | HAS_EPOCHS;
const EXPORTER = new Uint8Array(32).fill(6);

/** A device that can do all that there is. */
const newDevice = () =>
  deviceParty({ capabilities: CAN_RESUME, exporter: EXPORTER, nextEpoch: () => 41, resume: () => OFFER });

function read(payload: Uint8Array, capabilities: number): Claims {
  return readClaims(new FieldReader("AUTH", payload, authTags(capabilities)), capabilities).claims;
}

/** What reading throws: the code of a protocol error. */
function fault(payload: Uint8Array, capabilities = ALL): string {
  try {
    read(payload, capabilities);
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "nothing";
}

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const epoch = fc.oneof(fc.integer({ min: 1, max: V2_MAX_EPOCH }), fc.constantFrom(1, V2_MAX_EPOCH));
const received = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test("claims bring back what was claimed, with epochs and without, and say which bytes are signed", () => {
  const claims = fc.record({
    epoch,
    resume: fc.option(fc.record({ session: bytes(16), received, initiator: bytes(32) }, { noNullPrototype: true }), {
      nil: undefined,
    }),
  }, { noNullPrototype: true });
  fc.assert(fc.property(claims, (claims) => {
    const fields = claimFields(claims);
    assert.deepEqual(read(fields, ALL), claims);
    const reader = new FieldReader("AUTH", fields, authTags(ALL));
    assert.equal(hex(readClaims(reader, ALL).signed), hex(fields));
    const { session, received } = claims.resume ?? {};
    const old = { epoch: undefined, resume: session && { session, received: received! } };
    assert.deepEqual(read(claimFields(old), CAN_RESUME), old);
    assert.equal(fault(fields, CAN_RESUME), "bad-field", "an epoch where there are none");
  }));
});

test("an epoch that is missing, 0 or too great is refused, and so is half a name", () => {
  const field = (value: bigint) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value);
    return fieldOf(4, bytes);
  };
  const resume = fieldOf(3, new Uint8Array(24));
  const initiator = fieldOf(5, new Uint8Array(32));
  assert.equal(fault(field(BigInt(V2_MAX_EPOCH))), "nothing");
  for (const value of [0n, BigInt(V2_MAX_EPOCH) + 1n, 1n << 53n, (1n << 64n) - 1n]) {
    assert.equal(fault(field(value)), "bad-field", `${value}`);
  }
  assert.equal(fault(concat([field(1n), initiator, resume])), "nothing");
  assert.equal(fault(concat([resume, initiator, field(1n)])), "nothing", "their order is free");
  const wrong = [
    [],
    [initiator, resume],
    [field(1n), resume],
    [field(1n), initiator],
    [field(1n), field(1n)],
    [field(1n), fieldOf(5, new Uint8Array(31)), resume],
    [fieldOf(4, new Uint8Array(4))],
    [field(1n), fieldOf(6, new Uint8Array(0))], // `via`, reserved
  ];
  for (const parts of wrong) assert.equal(fault(concat(parts)), "bad-field");
});

test("whatever AUTH is, reading its claims throws nothing but a protocol error", () => {
  const field = fc.tuple(fc.integer({ min: 1, max: 7 }), fc.oneof(bytes(8), bytes(24), bytes(32), fc.uint8Array()));
  fc.assert(fc.property(fc.array(field, { maxLength: 5 }), fc.nat(15), (fields, capabilities) => {
    const payload = concat(fields.map(([tag, value]) => fieldOf(tag, value)));
    assert.match(fault(payload, capabilities), /^(nothing|bad-field)$/);
  }));
});

test("the device signs its epoch and the name of its session, and no bit of them can be changed", async () => {
  const party = () => serverParty({ capabilities: ALL });
  const { authenticated, device } = await shake(newDevice(), party());
  assert.equal(authenticated.epoch, 41);
  assert.deepEqual(authenticated.resume, { ...OFFER, initiator: DEVICE.publicKey });
  assert.equal(authenticated.capabilities, ALL);
  assert.equal(device.bound, false);
  const size = 11 + 35 + 27;
  let signed = "";
  await shake(newDevice(), party(), {
    auth: (frame) => {
      signed = hex(frame.subarray(HEADER + SIGNATURE_FIELD));
      return frame;
    },
  });
  const fields = [
    fieldOf(4, uintOf(8, 41)),
    fieldOf(5, DEVICE.publicKey),
    fieldOf(3, concat([OFFER.session, uintOf(8, OFFER.received)])),
  ];
  assert.equal(signed, hex(concat(fields)));
  for (let bit = 0; bit < 8 * size; bit++) {
    const auth = (frame: Uint8Array) => flip(frame.length - size + (bit >> 3), 1 << (bit & 7))(frame);
    const code = await failure(shake(newDevice(), party(), { auth }));
    assert(code === "bad-credentials" || code === "bad-field", `bit ${bit}: ${code}`);
  }
});

test("an epoch is taken once for a link, and not for a server that has none or proves nothing", async () => {
  let taken = 0;
  const own = () => deviceParty({ nextEpoch: () => ++taken });
  assert.equal((await shake(own(), serverParty({ capabilities: HAS_EPOCHS }))).authenticated.epoch, 1);
  assert.equal((await shake(own(), serverParty())).authenticated.epoch, undefined);
  assert.equal(
    await failure(shake(own(), serverParty({ capabilities: HAS_EPOCHS, signer: STRANGER }))),
    "bad-credentials",
  );
  assert.equal(taken, 1);
});

test("WELCOME names a session of two parts where both have epochs, whose initiator is the device", async () => {
  const welcome = { session: OFFER.session, name: "gw1", maxChannels: 9, remote: "192.0.2.1:5", expiration: 5 };
  const payload = (initiator?: Uint8Array) => welcomeFrame({ ...welcome, initiator }).subarray(HEADER);
  const both = await shake(newDevice(), serverParty({ capabilities: ALL }));
  assert.deepEqual(both.device.welcome(payload(DEVICE.publicKey)).initiator, DEVICE.publicKey);
  assert.throws(() => both.device.welcome(payload(SERVER.publicKey)), /another than this device began/);
  assert.throws(() => both.device.welcome(payload()), ProtocolError);
  const old = await shake(newDevice(), serverParty({ capabilities: CAN_RESUME }));
  assert.equal(old.device.welcome(payload()).initiator, undefined);
  assert.throws(() => old.device.welcome(payload(DEVICE.publicKey)), ProtocolError);
});

/** A server as the specification had it before there were epochs: it knows two bits, and refuses what it does not know. */
async function oldServer(
  hello: Uint8Array,
): Promise<{ challenge: Uint8Array; authenticate(auth: Uint8Array): Promise<void> }> {
  const said = new FieldReader("HELLO", hello.subarray(PREAMBLE + HEADER), [1, 2, 3, 4, 5, 6]);
  const fields = concat([
    fieldOf(1, Uint8Array.of(2)),
    fieldOf(2, uintOf(4, said.uint(2, 4) & 3)),
    fieldOf(3, SERVER.publicKey),
    fieldOf(4, new Uint8Array(32).fill(77)),
    fieldOf(5, new Uint8Array(8)),
    fieldOf(128, new Uint8Array(0)),
  ]);
  const unsigned = v2FrameOf(0x41, 0, concat([fields, new Uint8Array(SIGNATURE_FIELD)])).subarray(0, -SIGNATURE_FIELD);
  const label = (role: string) => new TextEncoder().encode(`sallyport v2 ${role}\0`);
  const signature = await SERVER.sign(concat([label("server"), hello, unsigned]));
  const challenge = concat([unsigned, fieldOf(6, signature)]);
  return {
    challenge,
    async authenticate(auth) {
      const fields = new FieldReader("AUTH", auth.subarray(HEADER), [1, 2, 3]);
      const resume = fieldOf(3, fields.bytes(3, 24));
      const signed = concat([label("device"), hello, challenge, resume]);
      assert(await systemCrypto.verify(DEVICE.publicKey, fields.bytes(1, 64), signed), "an old server turns it away");
    },
  };
}

test("a device that can do everything comes to terms with a server of before, in the bytes of before", async () => {
  const device = new DeviceHandshake(newDevice(), systemCrypto);
  const server = await oldServer(device.hello);
  const auth = await device.answer(server.challenge);
  assert.equal(auth.length, HEADER + SIGNATURE_FIELD + 27);
  await server.authenticate(auth);
  assert.equal(device.bound, false);
});

test("a server that can do everything answers a device of before in the bytes of before", async () => {
  const before = deviceParty({ capabilities: CAN_RESUME, resume: () => OFFER });
  const plain = serverParty({ capabilities: CAN_RESUME });
  const { hello } = new DeviceHandshake(before, systemCrypto);
  const challenge = await new ServerHandshake(plain, systemCrypto).challenge(hello.subarray(PREAMBLE));
  const now = { ...plain, capabilities: ALL, exporter: EXPORTER };
  assert.equal(hex(await new ServerHandshake(now, systemCrypto).challenge(hello.subarray(PREAMBLE))), hex(challenge));
  const { authenticated } = await shake(before, now);
  assert.deepEqual(authenticated.resume, OFFER);
  assert.equal(authenticated.epoch, undefined);
  assert.equal(authenticated.capabilities & (CAN_BIND | HAS_EPOCHS), 0);
});
