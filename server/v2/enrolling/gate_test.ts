import assert from "node:assert/strict";
import { MAX_ENROLLING, MAX_ENROLLING_PER_ADDRESS, MAX_ENROLLING_PER_STRING } from "../../limits.ts";
import { EnrolmentGate } from "./gate.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

/** Lets one in who has to be let in, with a string of its own unless told otherwise. */
function enter(gate: EnrolmentGate, host: string, string = `own ${next++}`): () => void {
  const leave = gate.enter(host, string);
  assert.ok(typeof leave === "function", String(leave));
  return leave;
}
let next = 0;

Deno.test("one address does not take all the places of those who enrol, and gets its own back once", checked, () => {
  const gate = new EnrolmentGate();
  const leaves = Array.from({ length: MAX_ENROLLING_PER_ADDRESS }, () => enter(gate, "a"));
  assert.equal(gate.enter("a", "x"), `${MAX_ENROLLING_PER_ADDRESS} others from a enrol just now`);
  enter(gate, "b");
  leaves[0]!();
  leaves[0]!(); // once is enough
  enter(gate, "a");
  assert.equal(typeof gate.enter("a", "x"), "string");
});

Deno.test(
  "whoever has an IPv6 network is one, whatever address of it they take, and so is IPv4 in either way",
  checked,
  () => {
    const gate = new EnrolmentGate();
    for (let n = 0; n < MAX_ENROLLING_PER_ADDRESS; n++) enter(gate, `[2001:db8:0:${(n % 256).toString(16)}::${n}]`);
    const why = `${MAX_ENROLLING_PER_ADDRESS} others from 2001:db8::/56 enrol just now`;
    assert.equal(gate.enter("[2001:db8:0:7:1::1]", "x"), why);
    enter(gate, "[2001:db8:0:100::1]");
    const other = new EnrolmentGate();
    for (let n = 0; n < MAX_ENROLLING_PER_ADDRESS; n++) enter(other, n % 2 === 0 ? "192.0.2.1" : "[::ffff:192.0.2.1]");
    assert.equal(typeof other.enter("192.0.2.1", "x"), "string");
    enter(other, "192.0.2.2");
  },
);

Deno.test("one string, which lets in one, does not take the places of others", checked, () => {
  const gate = new EnrolmentGate();
  const leaves = Array.from({ length: MAX_ENROLLING_PER_STRING }, (_, n) => enter(gate, `host ${n}`, "shared"));
  assert.equal(gate.enter("a", "shared"), `${MAX_ENROLLING_PER_STRING} others enrol with this string just now`);
  enter(gate, "a", "another");
  leaves[0]!();
  enter(gate, "a", "shared");
});

Deno.test("there is a bound on those who enrol at once", checked, () => {
  const gate = new EnrolmentGate();
  const leaves = Array.from({ length: MAX_ENROLLING }, (_, n) => enter(gate, `host ${n}`));
  assert.equal(gate.enter("another", "x"), `${MAX_ENROLLING} others enrol just now`);
  for (const leave of leaves) leave();
  enter(gate, "another");
});
