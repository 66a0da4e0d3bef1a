import assert from "node:assert/strict";
import { MAX_ENROLLING, MAX_ENROLLING_PER_ADDRESS } from "../net/limits.ts";
import { EnrolmentGate } from "./enrolment_gate.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

/** Lets one in who has to be let in. */
function enter(gate: EnrolmentGate, host: string): () => void {
  const leave = gate.enter(host);
  assert.ok(typeof leave === "function", String(leave));
  return leave;
}

Deno.test("one address does not take all the places of those who enrol, and gets its own back once", checked, () => {
  const gate = new EnrolmentGate();
  const leaves = Array.from({ length: MAX_ENROLLING_PER_ADDRESS }, () => enter(gate, "a"));
  assert.equal(gate.enter("a"), `${MAX_ENROLLING_PER_ADDRESS} others from a enrol just now`);
  enter(gate, "b");
  leaves[0]!();
  leaves[0]!(); // once is enough
  enter(gate, "a");
  assert.equal(typeof gate.enter("a"), "string");
});

Deno.test("there is a bound on those who enrol at once", checked, () => {
  const gate = new EnrolmentGate();
  const leaves = Array.from({ length: MAX_ENROLLING }, (_, n) => enter(gate, `host ${n}`));
  assert.equal(gate.enter("another"), `${MAX_ENROLLING} others enrol just now`);
  for (const leave of leaves) leave();
  enter(gate, "another");
});
