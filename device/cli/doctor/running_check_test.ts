import assert from "node:assert/strict";
import { test } from "../../../tests/rig/test.ts";
import { GOODBYE_CODES } from "../../../protocol/v2/wire/goodbye.ts";
import { runningFinding } from "./running_check.ts";

const WAITING = { name: "gw1", state: "waiting", server: "relay.example:7443", clockOffset: null } as const;
const outage = (error: string | null) => ({ since: "2026-01-31T12:00:00.000Z", tries: 2, error, nextTry: null });

test("a device that waits is told with why, and with what would do", () => {
  assert.deepEqual(runningFinding({ ...WAITING, goodbye: null, outage: outage("Connection refused") }), {
    level: "fail",
    text: "the device that runs is waiting, relay.example:7443; last: Connection refused",
    advice: "see whether the server runs, and what firewalls let through; what follows says how far one comes",
  });
  const goodbye = { code: "disabled", text: "gw1 is disabled" } as const;
  assert.deepEqual(runningFinding({ ...WAITING, goodbye, outage: outage("disabled: gw1 is disabled") }), {
    level: "fail",
    text: "the device that runs is waiting, relay.example:7443; it said disabled: gw1 is disabled",
    advice: "on the server: sallyport server enable gw1, if it is to come back",
  });
  for (const code of GOODBYE_CODES) {
    const goodbye = { code, text: "" };
    const found = runningFinding({ ...WAITING, name: null, goodbye, outage: outage("Connection refused") });
    assert.ok(found.advice, code);
    assert.match(found.text, new RegExp(`it said ${code}.*Connection refused$`), "what came after it is told");
  }
});

test("of one that is online, clocks that are far apart are a warning", () => {
  const online = { ...WAITING, state: "online", goodbye: null, outage: null } as const;
  assert.deepEqual(runningFinding({ ...online, clockOffset: 3 }), {
    level: "ok",
    text: "online at relay.example:7443, clocks 3 ms apart",
  });
  assert.equal(runningFinding({ ...online, clockOffset: -1e9 }).level, "warn");
});
