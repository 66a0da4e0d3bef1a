import assert from "node:assert/strict";
import fc from "fast-check";
import { readWelcome, RESUME_REFUSALS, welcomeFrame } from "./welcome.ts";
import { test } from "../../../tests/rig/test.ts";
import { fieldOf, protocolError } from "../_fakes_test.ts";
import { HEADER } from "./_handshake_fixture_test.ts";

test("WELCOME brings back what was said, and garbage is refused", () => {
  const text = fc.string({ unit: "grapheme-ascii", maxLength: 63 });
  const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/);
  const session = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const expiration = fc.nat(0xffff_ffff);
  const resumed = fc.oneof(
    fc.constantFrom(undefined, ...RESUME_REFUSALS),
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  );
  const maxChannels = fc.nat(0xffff_ffff);
  const welcome = fc.record({ session, name, maxChannels, remote: text, expiration, resumed }, {
    noNullPrototype: true,
  });
  fc.assert(fc.property(welcome, (welcome) => {
    assert.deepEqual({ ...readWelcome(welcomeFrame(welcome).subarray(HEADER)) }, welcome);
  }));
  const initiator = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(fc.property(welcome, initiator, (welcome, initiator) => {
    const payload = welcomeFrame({ ...welcome, initiator }).subarray(HEADER);
    assert.deepEqual({ ...readWelcome(payload, true) }, { ...welcome, initiator });
    assert.equal(protocolError(() => readWelcome(payload)), "bad-field");
    assert.equal(protocolError(() => readWelcome(welcomeFrame(welcome).subarray(HEADER), true)), "bad-field");
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void protocolError(() => readWelcome(bytes))));
  assert.equal(protocolError(() => readWelcome(fieldOf(1, new Uint8Array(15)))), "bad-field");
  for (const bad of ["", "gw 1", "gw1\nonline x", "\u001b[2J", "\u202e1wg"]) {
    const said = { session: new Uint8Array(16), name: bad, maxChannels: 1, remote: "a:1" };
    assert.equal(protocolError(() => readWelcome(welcomeFrame(said).subarray(HEADER))), "bad-field", "no name");
  }
});
