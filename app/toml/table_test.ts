import assert from "node:assert/strict";
import { MAX_CONFIG_SIZE, MAX_SHOWN_LINE, MAX_TOML_DEPTH } from "../limits.ts";
import { ConfigError } from "./config_error.ts";
import { TomlTable } from "./table.ts";

function test(name: string, fn: (file: string) => void): void {
  Deno.test({
    name,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        fn(`${folder}/config.toml`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

const SOURCE = `listen = "0.0.0.0:7443"\n\n# own\n[table]\n  port = "x"\n`;
const BOM = "\uFEFF";

function utf16(text: string, isLittle: boolean): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(2 * text.length));
  for (let at = 0; at < text.length; at++) view.setUint16(2 * at, text.charCodeAt(at), isLittle);
  return new Uint8Array(view.buffer);
}

function refusal(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return "none";
}

for (
  const [what, text] of [["a byte order mark", BOM + SOURCE], ["CRLF", SOURCE.replaceAll("\n", "\r\n")], [
    "both",
    BOM + SOURCE.replaceAll("\n", "\r\n"),
  ]] as const
) {
  test(`a file with ${what} is read as one without, and its mistakes have the same places`, (file) => {
    Deno.writeTextFileSync(file, text);
    const places = (table: TomlTable) => {
      assert.equal(table.one("listen", String), "0.0.0.0:7443");
      return [table.error("listen", "no").message, table.table("table")!.error("port", "no").message];
    };
    const without = TomlTable.parse(file, SOURCE);
    assert.deepEqual(places(TomlTable.load(file)), places(without));
    assert.deepEqual(places(TomlTable.parse(file, text)), places(without));
    Deno.writeTextFileSync(file, text.replace("=", "= ="));
    assert.match(refusal(() => TomlTable.load(file)), /^\S+:1:10: not TOML: [^\n]+\n {2}1 \| listen = = "0[^\r]+$/);
  });
}

test("another program's file is known behind a byte order mark, too", (file) => {
  Deno.writeTextFileSync(file, `${BOM}[server]\nbind_addr = "0.0.0.0:2333"\n`);
  assert.match(refusal(() => TomlTable.load(file)), /:1:1: this looks like a file of rathole/);
});

test("a file in UTF-16 is told as that, with what would do", (file) => {
  for (const isLittle of [true, false]) {
    for (const text of [BOM + SOURCE, SOURCE, BOM]) {
      Deno.writeFileSync(file, utf16(text, isLittle));
      assert.equal(refusal(() => TomlTable.load(file)), `${file}: it is written in UTF-16; save it as UTF-8`);
    }
  }
});

test("a zero byte alone is told where it stands", (file) => {
  assert.match(refusal(() => TomlTable.parse(file, "a = 1 # \0\n")), /:1:\d+: not TOML: control characters/);
});

test("what is no file is refused, and not waited for", (file) => {
  new Deno.Command("mkfifo", { args: [file] }).outputSync();
  assert.equal(refusal(() => TomlTable.load(file)), `Cannot read ${file}: it is not a file`);
  Deno.removeSync(file);
  assert.equal(refusal(() => TomlTable.load(file)), `Cannot read ${file}: there is no such file`);
  Deno.writeTextFileSync(file, "#".repeat(MAX_CONFIG_SIZE));
  assert.equal(refusal(() => TomlTable.load(file)), "none");
  Deno.truncateSync(file, MAX_CONFIG_SIZE + 1);
  assert.equal(refusal(() => TomlTable.load(file)), `Cannot read ${file}: it has 1048577 bytes, more than 1 MiB`);
});

test("a text that is nested without an end, and a line of any length, are told in a short message", () => {
  for (const source of [`a${".a".repeat(100_000)} = 1`, `[a${".a".repeat(MAX_TOML_DEPTH)}]`]) {
    assert.throws(
      () => TomlTable.parse("f.toml", source),
      /^ConfigError: f\.toml: more than 32 tables stand within each other$/,
    );
  }
  TomlTable.parse("f.toml", `a${".a".repeat(MAX_TOML_DEPTH - 1)} = 1`);
  const long = "x".repeat(10_000);
  const shown = (source: string) => {
    try {
      TomlTable.parse("f.toml", source).one("a", (text) => {
        throw new SyntaxError(text.slice(0, 3));
      });
    } catch (error) {
      return String(error).split("\n");
    }
    throw new Error("it was taken");
  };
  for (
    const source of [`a = "${long}"`, `a = "${long}`, `b = { b = "${long}" }\na = ${long}`, `b = "${long}", a = 1`]
  ) {
    const [, line, caret] = shown(source);
    assert.ok(line!.length < MAX_SHOWN_LINE + 20, `${line!.length}`);
    assert.ok(caret!.indexOf("^") <= line!.length, caret);
  }
  assert.match(shown(`b = "${long}" ] c`)[1]!, /…x+" \] c$/);
});

test("what is no TOML is told with what would do in that line", () => {
  const hints: [text: string, says: RegExp][] = [
    ["[gw6\nkey = 1\n", /^d:1:5: .*; \] is missing behind the name of the table: \[gw6\]\n/],
    ["[[listen] # v2\n", /^d:1:\d+: .*; \]\] is missing behind the name of the table: \[\[listen\]\]\n/],
    ['["of a list"\n', /; \] is missing behind the name of the table: \[NAME\]\n/],
    ["[roof 7]\n", /^d:1:\d+: .*; a table begins with its name, in quotes .*: \["NAME"\]\n/],
    ["x = [1\n[gw]\n", /^d:2:1: .*; a list ends with \]/],
    ["a = b\n", /^d:1:5: .*; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"\n/],
  ];
  for (const [text, says] of hints) assert.match(refusal(() => TomlTable.parse("d", text)), says);
});
