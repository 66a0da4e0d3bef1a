import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import { findPlace, scanToml, tomlKey, tomlString } from "./scan.ts";

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

/** Full of what looks like keys and headers. */
const LOOKALIKES = `# listen = "in a comment"
log-level = "info"
text = "listen = 1 [[listen]]"
many = [
  "a = 1", # a = 2
  "b",
]
long = """
listen = 2
"""

[[listen]]
address = "127.0.0.1:1"

[[ listen ]]
  address = "127.0.0.1:2"
"quoted" = 'forward = 3'
`;

Deno.test("keys are found past comments, texts and lists that look like keys", STRICT, () => {
  assert.deepEqual(findPlace(LOOKALIKES, ["log-level"]), { line: 2, column: 1 });
  assert.deepEqual(findPlace(LOOKALIKES, ["many"]), { line: 4, column: 1 });
  assert.deepEqual(findPlace(LOOKALIKES, ["many", 1]), { line: 6, column: 3 });
  assert.deepEqual(findPlace(LOOKALIKES, ["listen", 0, "address"]), { line: 13, column: 1 });
  assert.deepEqual(findPlace(LOOKALIKES, ["listen", 1, "address"]), { line: 16, column: 3 });
  assert.deepEqual(findPlace(LOOKALIKES, ["listen", 1, "quoted"]), { line: 17, column: 1 });
  for (const path of [["a"], ["forward"]]) assert.equal(findPlace(LOOKALIKES, path), undefined);
  assert.equal(findPlace("", ["listen"]), undefined);
});

/** Values whose insides look like keys and headers. */
const VALUES = [
  '"x = 1"',
  "'[[k0]]'",
  "12",
  "[ 1, 2 ]",
  '[\n  "k1 = 1", # k2 = 2\n]',
  '"""\nk3 = 3\n"""',
  "{ k4 = 4 }",
  '"\\""',
];

Deno.test("in any file every key is found where it was written", STRICT, () => {
  const key = fc.integer({ min: 0, max: 9 }).map((at) => `k${at}`);
  const section = fc.uniqueArray(fc.tuple(key, fc.constantFrom(...VALUES)), { selector: ([name]) => name });
  const indent = fc.constantFrom("", " ", "\t");
  fc.assert(fc.property(section, fc.array(section, { maxLength: 3 }), indent, (top, sections, space) => {
    let source = "";
    const places: [path: (string | number)[], line: number][] = [];
    const add = (path: (string | number)[], text: string) => {
      places.push([path, source.split("\n").length]);
      source += `${space}${text}\n`;
    };
    for (const [name, value] of top) add([name], `${name} = ${value}`);
    sections.forEach((keys, at) => {
      add(["table", at], "[[table]] # k5 = 5");
      for (const [name, value] of keys) add(["table", at, name], `${name} = ${value}`);
    });
    parse(source); // the text is valid
    for (const [path, line] of places) {
      assert.deepEqual(findPlace(source, path), { line, column: space.length + 1 }, path.join("."));
    }
  }));
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

Deno.test(
  "the place of something is found in a text of any depth without going over it again and again",
  STRICT,
  () => {
    const deep = ".a".repeat(100_000);
    const source = `a${deep} = 1\n[b${deep}]\n[[c${deep}]]\n[[c${deep}]]\nx = 1\n[y]\nz = 1\n`;
    assert.deepEqual(findPlace(source, ["y", "z"]), { line: 7, column: 1 });
    const { path } = scanToml(source).at(-3)!;
    assert.deepEqual([path.length, path.at(-2), path.at(-1)], [100_003, 1, "x"]);
  },
);
