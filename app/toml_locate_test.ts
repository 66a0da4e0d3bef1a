import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import { locateKey } from "./toml_locate.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

const SOURCE = `# listen = "in a comment"
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

Deno.test("keys are found with line and column, past comments, texts and lists that look like keys", STRICT, () => {
  assert.deepEqual(locateKey(SOURCE, ["log-level"]), { line: 2, column: 1 });
  assert.deepEqual(locateKey(SOURCE, ["many"]), { line: 4, column: 1 });
  assert.deepEqual(locateKey(SOURCE, ["listen", 0]), { line: 12, column: 1 });
  assert.deepEqual(locateKey(SOURCE, ["listen", 0, "address"]), { line: 13, column: 1 });
  assert.deepEqual(locateKey(SOURCE, ["listen", 1, "address"]), { line: 16, column: 3 });
  assert.deepEqual(locateKey(SOURCE, ["listen", 1, "quoted"]), { line: 17, column: 1 });
});

Deno.test(
  "a path into an inline value is found at the key that has it, and one that is not there nowhere",
  STRICT,
  () => {
    assert.deepEqual(locateKey(SOURCE, ["many", 1]), { line: 4, column: 1 });
    assert.equal(locateKey(SOURCE, ["a"]), undefined);
    assert.equal(locateKey(SOURCE, ["forward"]), undefined);
    assert.equal(locateKey("", ["listen"]), undefined);
  },
);

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
      assert.deepEqual(locateKey(source, path), { line, column: space.length + 1 }, path.join("."));
    }
  }));
});
