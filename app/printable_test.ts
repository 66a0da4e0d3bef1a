import assert from "node:assert/strict";
import fc from "fast-check";
import { printable, printableLines } from "./printable.ts";

Deno.test("control and formatting characters are written out, whatever their plane; all else stays", () => {
  assert.equal(
    printable("a\u001b[2J\r\nb\u0085\u202e\u2028\u{e0041}"),
    "a\\u001b[2J\\u000d\\u000ab\\u0085\\u202e\\u2028\\udb40\\udc41",
  );
  assert.equal(printable("Zürich, 東京 🙂: \\u0041"), "Zürich, 東京 🙂: \\u0041");
});

Deno.test("lines and tabs are kept where there may be several, and nothing else that cannot be seen", () => {
  assert.equal(printableLines("one\n\ttwo\u0007\r\n"), "one\n\ttwo\\u0007\\u000d\n");
});

Deno.test("JSON stays JSON, and says the same", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const shown = printable(JSON.stringify({ text }));
    assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\u2028\u2029]/u);
    assert.deepEqual(JSON.parse(shown), { text });
  }));
});
