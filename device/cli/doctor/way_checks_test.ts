import assert from "node:assert/strict";
import { test } from "../../../tests/rig/test.ts";
import { familiesFinding } from "./way_checks.ts";

const FOUR = { address: "192.0.2.7:7443", ms: 4 };
const SIX = { address: "[2001:db8::7]:7443", error: "no answer within 3 s" };

test("a family that does not answer is a warning while the other one does", () => {
  assert.deepEqual(familiesFinding([FOUR, SIX]), {
    level: "warn",
    text: "IPv4 192.0.2.7:7443 answers in 4 ms; IPv6 [2001:db8::7]:7443 does not answer: no answer within 3 s",
    advice: "have the server listen by IPv6, too, mend the route, or take that address from its name",
  });
  assert.deepEqual(familiesFinding([FOUR]), {
    level: "ok",
    text: "IPv4 192.0.2.7:7443 answers in 4 ms, and there is no other",
  });
  assert.equal(familiesFinding([SIX]).level, "fail");
  assert.equal(familiesFinding([FOUR, { address: SIX.address, ms: 5 }]).level, "ok");
});
