import assert from "node:assert/strict";
import { withoutColors } from "./colors.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test("colours go to a terminal, and not into a file, a pipe or the log of a CI", STRICT, () => {
  const env = (value?: string) => (name: string) => name === "CI" ? value : undefined;
  assert.deepEqual(withoutColors(true, env()), {});
  assert.deepEqual(withoutColors(true, env("false")), {});
  assert.deepEqual(withoutColors(true, env("true")), { NO_COLOR: "1" });
  assert.deepEqual(withoutColors(false, env()), { NO_COLOR: "1" });
});
