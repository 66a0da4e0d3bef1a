/**
 * The scanner beside a whole TOML parser that keeps places: they have to see the same statements.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import { type AST, parseTOML } from "toml-eslint-parser";
import { scanToml } from "./scan.ts";

/** A statement as both can tell it; of a header the end is not compared, as the other one counts what is below it. */
function told(kind: string, path: readonly (string | number)[], ...places: number[]): string {
  return JSON.stringify([kind, path, ...places]);
}

function* pairs(
  body: readonly AST.TOMLKeyValue[],
  table: readonly (string | number)[],
  kind: "value" | "inline",
): Generator<string> {
  for (const { key, value, range: [start] } of body) {
    const path = [...table, ...key.keys.map((part) => part.type === "TOMLBare" ? part.name : part.value)];
    yield told(kind, path, start, ...value.range);
    if (value.type === "TOMLInlineTable") yield* pairs(value.body, path, "inline");
  }
}

function* statements(source: string): Generator<string> {
  for (const part of parseTOML(source, { tomlVersion: "1.0" }).body[0].body) {
    if (part.type === "TOMLKeyValue") {
      yield* pairs([part], [], "value");
      continue;
    }
    yield told(part.kind === "array" ? "list" : "table", part.resolvedKey, part.range[0]);
    yield* pairs(part.body, part.resolvedKey, "value");
  }
}

const key = fc.oneof(
  fc.constantFrom("a", "b", "c-1", "_", "1", "ssh"),
  fc.constantFrom('"a b"', "'x.y'", '"]"', `"\\""`, "'#'", '"="', '""', '"\\u00e9"'),
);
const dotted = fc.array(key, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(parts.length % 2 ? "." : " . "));
const blank = fc.constantFrom("", " ", "\t", "  ");
const gap = fc.constantFrom("", " ", "\n", "\r\n", ' # it\'s [a] "b" = {\n', "\n\t");
const scalar = fc.constantFrom(
  ...["1", "-0x1f", "1e3", "inf", "true", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "07:32:00", "0.5"],
  ...['""', "''", '"a # b"', "'c = d'", '"]\\"}"', '"\\\\"', "'\\'", `"é\\u0041"`],
  ...['"""x"""', '"""\n[y]\n"""', '"""""\\""""', '"""a""""', "'''\nz = 1\n'''", "''''''", "'''it''s'''"],
);
const { value } = fc.letrec<{ value: string; list: string; table: string }>((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("list"), tie("table")),
  list: fc.tuple(fc.array(fc.tuple(gap, tie("value"), gap), { maxLength: 3 }), fc.boolean(), gap).map(
    ([items, comma, last]) =>
      `[${items.map(([a, item, b]) => a + item + b).join(",")}${comma && items.length > 0 ? "," : ""}${last}]`,
  ),
  table: fc.array(fc.tuple(blank, dotted, blank, blank, tie("value"), blank), { maxLength: 3 }).map((items) =>
    `{${items.map(([a, k, b, c, v, d]) => `${a}${k}${b}=${c}${v}${d}`).join(",")}}`
  ),
}));
const line = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(blank, dotted, blank, blank, value).map(([a, k, b, c, v]) => `${a}${k}${b}=${c}${v}`),
  },
  { weight: 1, arbitrary: fc.tuple(blank, blank, dotted, blank).map(([a, b, k, c]) => `${a}[${b}${k}${c}]`) },
  { weight: 1, arbitrary: fc.tuple(blank, blank, dotted, blank).map(([a, b, k, c]) => `${a}[[${b}${k}${c}]]`) },
  { weight: 1, arbitrary: fc.constantFrom("", "# [c]", "\t# a = 1 'x") },
);
const end = fc.constantFrom("\n", "\r\n", ' # d = "e\n', "\n\n");
const document = fc.array(fc.tuple(line, end), { maxLength: 8 }).map((lines) => lines.flat().join(""));

Deno.test("whatever is written in TOML, the scanner sees what a parser with places sees", {
  sanitizeOps: true,
  sanitizeResources: true,
}, () => {
  let compared = 0;
  fc.assert(
    fc.property(document, (source) => {
      let expected: string[];
      try {
        parse(source);
        expected = [...statements(source)];
      } catch {
        return; // not valid, or to one of them not
      }
      compared += expected.length;
      const seen = scanToml(source).map(({ kind, path, start, valueStart, end }) =>
        kind === "value" || kind === "inline" ? told(kind, path, start, valueStart, end) : told(kind, path, start)
      );
      assert.deepEqual(seen, expected);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(compared > 2_000, `only ${compared} statements were compared`);
});
