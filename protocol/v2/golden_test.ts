import assert from "node:assert/strict";
import { decodeEnrolment } from "../enrolment.ts";
import { V2Command } from "./wire/commands.ts";
import { CAN_RESUME, firstFrame, HAS_EPOCHS, IS_MOVING, ServerHandshake } from "./wire/handshake.ts";
import { systemCrypto } from "../../relay/handshake.ts";
import { test } from "../../tests/rig/test.ts";
import {
  enrolmentString,
  type Entry,
  goldenExchange,
  goldenIdentity,
  type Revision,
  SEEDS,
  TOKEN,
} from "../../tests/rig/v2/golden.ts";

const FILES: Readonly<Record<Revision, string>> = {
  first: await Deno.readTextFile(new URL("./golden_session.txt", import.meta.url)),
  bound: await Deno.readTextFile(new URL("./golden_bound_session.txt", import.meta.url)),
};
const REVISIONS: readonly Revision[] = ["first", "bound"];

/** Reads a line of bytes: pairs of hexadecimal digits, `61*40000` for many of one. */
function bytesOf(text: string): Uint8Array {
  const parts = text.trim().split(/\s+/).map((part) => {
    const [value = "", count = "1"] = part.split("*");
    return new Uint8Array(Number(count)).fill(parseInt(value, 16));
  });
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The frames of a file, in order: `>` is the device's, `<` the server's. */
function recordedIn(revision: Revision): readonly { readonly by: "device" | "server"; readonly bytes: Uint8Array }[] {
  return [...FILES[revision].matchAll(/^([<>]) (.*)$/gm)].map(([, by, text = ""]) =>
    ({ by: by === ">" ? "device" : "server", bytes: bytesOf(text) }) as const
  );
}

for (const revision of REVISIONS) {
  test(`server and device (${revision}), with keys, nonces and clocks fixed, write the golden exchange byte for byte, and accept it`, async () => {
    const recorded = recordedIn(revision);
    const { entries, heard } = await goldenExchange(revision);
    const sent = entries.filter((entry): entry is Exclude<Entry, { kind: "note" }> => entry.kind !== "note");
    for (const [at, { kind, what, bytes }] of sent.entries()) {
      assert.equal(recorded[at]?.by, kind, `frame ${at} is ${what}, of the ${kind}`);
      assert.deepEqual(bytes, recorded[at].bytes, `frame ${at}, ${what} of the ${kind}`);
    }
    assert.equal(sent.length, recorded.length);
    assert.deepEqual(heard, [
      "device 1: 6 bytes",
      "server 1: 16376 bytes",
      "server 1: 16376 bytes",
      "server 1: 7248 bytes",
      "server 1: end",
      "device 1: end",
      "device 2: 4 bytes",
      "device 2: 13 bytes",
      "server 2: service-reset",
    ]);
  });

  test(`a line of the golden exchange (${revision}) is a frame, but for the preamble and what goes on in the middle of one`, () => {
    const recorded = recordedIn(revision);
    const others = recorded.filter(({ bytes }) => bytes.length !== 8 + (bytes[0]! << 8 | bytes[1]!))
      .map(({ by, bytes }) => `${by} ${bytes.length}`);
    const late = revision === "bound" ? ["device 8"] : [];
    assert.deepEqual(others, ["device 8", "device 8", "server 13", ...late]);
    const commands = new Set(recorded.map(({ bytes }) => bytes[2]));
    for (const command of Object.values(V2Command)) assert(commands.has(command), `command ${command} is not shown`);
  });
}

test("a server that can do everything takes the recorded bytes of a device of before, and answers in the recorded bytes", async () => {
  const [, hello, challenge, auth] = recordedIn("first").map(({ bytes }) => bytes);
  const server = new ServerHandshake({
    signer: await goldenIdentity("server"),
    nonce: new Uint8Array(32).fill(0x11),
    wallClock: 1_700_000_001_000,
    software: "golden server",
    capabilities: CAN_RESUME | IS_MOVING | HAS_EPOCHS,
    exporter: new Uint8Array(32).fill(0xe0),
  }, systemCrypto);
  assert.deepEqual(await server.challenge(hello!), challenge);
  const device = await server.authenticate(firstFrame(auth!)!.payload);
  assert.deepEqual([device.epoch, device.capabilities], [undefined, CAN_RESUME]);
  assert.equal(await device.provesToken(new Uint8Array(await crypto.subtle.digest("SHA-256", TOKEN.secret))), true);
});

test("the keys and the enrolment string of the golden exchanges are the ones that they state", async () => {
  const facts = (name: string) => REVISIONS.map((by) => new RegExp(`^# ${name}: (.*)$`, "m").exec(FILES[by])?.[1]);
  const fact = (name: string) => new Set(facts(name)).size === 1 ? facts(name)[0] : undefined;
  assert.equal(fact("server's private key"), SEEDS.server);
  assert.equal(fact("device's private key"), SEEDS.device);
  const text = await enrolmentString();
  assert.equal(fact("enrolment string"), text);
  const { tokenId, tokenSecret, serverKey } = decodeEnrolment(text);
  assert.deepEqual([tokenId, tokenSecret], [TOKEN.id, TOKEN.secret]);
  const hex = [...serverKey].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  assert.equal(fact("server's public key"), hex);
});
