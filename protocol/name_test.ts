import assert from "node:assert/strict";
import { parseName } from "./name.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test("names of devices and services are short and plain", STRICT, () => {
  for (const name of ["a", "gw-1.roof_7", "7", "x".repeat(63)]) assert.equal(parseName(name), name);
  for (const name of ["", "x".repeat(64), "a b", "é", "a/b", "a\n"]) {
    assert.throws(() => parseName(name), { name: "SyntaxError", message: /write 1 to 63 of a-z A-Z 0-9/ }, name);
  }
});
