import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_DURATION_MS } from "./limits.ts";
import { parseDuration, parsePositiveDuration, writeDuration } from "./duration.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

Deno.test("a duration is what its unit says, and 0 needs none", checked, () => {
  const durations = {
    "500ms": 500,
    "0": 0,
    "1.5s": 1_500,
    "2m": 120_000,
    "1h": 3_600_000,
    "7d": MAX_DURATION_MS,
  };
  for (const [text, ms] of Object.entries(durations)) assert.equal(parseDuration(text), ms, text);
});

Deno.test("what is no duration, or too long or short, is refused with what would do", checked, () => {
  for (const text of ["", "fast", "-1s", "10 s", "1w", "1e3"]) {
    assert.throws(() => parseDuration(text), { name: "SyntaxError", message: /write one as in 10s, 500ms or 2m/ });
  }
  for (const text of ["5", "1.5"]) {
    assert.throws(() => parseDuration(text), {
      name: "SyntaxError",
      message: `"${text}" has no unit; write ${text}s for seconds, ${text}m for minutes, ${text}h for hours (or ms, d)`,
    });
  }
  assert.throws(() => parseDuration("8d"), { message: /7d is the longest/ });
  assert.throws(() => parsePositiveDuration("0ms"), { message: /write a duration above 0/ });
});

Deno.test("a duration that is written is read as it was", checked, () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => parseDuration(writeDuration(ms)) === ms));
  assert.deepEqual([15_000, 60_000, 120_000, 3_600_000, 1_500, 0].map(writeDuration), [
    ...["15s", "1m", "2m", "1h", "1500ms", "0ms"],
  ]);
});
