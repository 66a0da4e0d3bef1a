import assert from "node:assert/strict";
import { test } from "../../../tests/rig/test.ts";
import { isMute, moodOf, wordsOf } from "./words.js";

const event = (facts: Record<string, unknown>) => ({ id: "a-1", time: "2026-01-31T12:00:00Z", type: "", ...facts });

test("who comes without a word is no refusal, and a device that is disabled is not said to be revoked", () => {
  const mute = event({ type: "refused", reason: "mute", remote: "192.0.2.1:1", why: "it closed without a word" });
  const refused = event({ type: "refused", reason: "stranger", remote: "192.0.2.1:1", why: "it speaks HTTP" });
  assert.deepEqual([isMute(mute), isMute(refused)], [true, false]);
  assert.deepEqual([moodOf(mute), moodOf(refused)], ["plain", "bad"]);
  assert.equal(wordsOf(mute), "nothing from 192.0.2.1:1: it closed without a word");
  assert.equal(
    wordsOf(event({ type: "link-down", reason: "revoked", detail: "gw1 is disabled" })),
    "gone: gw1 is disabled",
  );
  assert.equal(wordsOf(event({ type: "link-down", reason: "keep-alive-timeout" })), "gone: keep-alive-timeout");
});
