import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import { findPlace, scanToml, tomlKey, tomlString } from "./toml_scan.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

const SOURCE = `# [comment]
top.a = 1
[gw1] # x = 1
services = { ssh = "0.0.0.0:1", "w.b" = { listen = '[x]', n = [1, { q = 2 }] } } # end
services2.ssh = {
}
["gw.2".services.ssh]
text = """
[no]
y = 1\\"""""
max = 5
[[list]]
a = 1
  [[list]]
a = [ "b = 1", # c = 2
  { d = 3 } ]
[list.sub]
e = 2027-01-01 00:00:00Z # f
`;

Deno.test("every statement is found where it stands, with what it is called from the top", STRICT, () => {
  parse(SOURCE.replace("{\n}", "{}")); // all but the line break in an inline table is TOML 1.0
  const found = scanToml(SOURCE).map(({ kind, path, start, end }) =>
    `${kind} ${path.join("/")}: ${SOURCE.slice(start, end).replaceAll("\n", "|")}`
  );
  assert.deepEqual(found, [
    "value top/a: top.a = 1",
    "table gw1: [gw1]",
    `value gw1/services: services = { ssh = "0.0.0.0:1", "w.b" = { listen = '[x]', n = [1, { q = 2 }] } }`,
    'inline gw1/services/ssh: ssh = "0.0.0.0:1"',
    `inline gw1/services/w.b: "w.b" = { listen = '[x]', n = [1, { q = 2 }] }`,
    "inline gw1/services/w.b/listen: listen = '[x]'",
    "inline gw1/services/w.b/n: n = [1, { q = 2 }]",
    "value gw1/services2/ssh: services2.ssh = {|}",
    'table gw.2/services/ssh: ["gw.2".services.ssh]',
    'value gw.2/services/ssh/text: text = """|[no]|y = 1\\"""""',
    "value gw.2/services/ssh/max: max = 5",
    "list list/0: [[list]]",
    "value list/0/a: a = 1",
    "list list/1: [[list]]",
    'value list/1/a: a = [ "b = 1", # c = 2|  { d = 3 } ]',
    "table list/1/sub: [list.sub]",
    "value list/1/sub/e: e = 2027-01-01 00:00:00Z",
  ]);
});

Deno.test("a place is that of the key, or of the nearest thing around it", STRICT, () => {
  assert.deepEqual(findPlace(SOURCE, ["gw1", "services", "w.b", "listen"]), { line: 4, column: 43 });
  assert.deepEqual(findPlace(SOURCE, ["gw1", "key"]), { line: 3, column: 1 });
  assert.deepEqual(findPlace(SOURCE, ["gw.2"]), { line: 7, column: 1 });
  assert.deepEqual(findPlace(SOURCE, ["list"]), { line: 12, column: 1 });
  assert.deepEqual(findPlace(SOURCE, ["list", 1, "sub", "e"]), { line: 18, column: 1 });
  assert.equal(findPlace(SOURCE, ["elsewhere"]), undefined);
});

Deno.test("any text and any name can be written, and means the same when it is read", STRICT, () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme", minLength: 1 }), (text, name) => {
    const source = `${tomlKey(name)} = ${tomlString(text)}`;
    assert.ok(!source.includes("\n"));
    assert.deepEqual({ ...parse(source) }, { [name]: text });
    assert.deepEqual(scanToml(source).map(({ path, start, end }) => [path, start, end]), [[[name], 0, source.length]]);
  }));
});

Deno.test("no text, valid or not, makes the search for places fail or go on for ever", STRICT, () => {
  const piece = fc.constantFrom("[", "]", "{", "}", "=", '"', "'", '"""', "a", ".", ",", "#", "\n", " ", "1", "\\");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const source = pieces.join("");
      try {
        parse(source);
      } catch {
        return; // not TOML: nobody asks for places
      }
      for (const { start, end } of scanToml(source)) assert.ok(start < end && end <= source.length);
    }),
    { numRuns: 2_000 },
  );
});
