import assert from "node:assert/strict";
import { ConfigError } from "../toml/config_error.ts";
import { describeHooks, readHooks } from "./config.ts";
import { TomlTable } from "../toml/table.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

function read(text: string, allowed = true) {
  return readHooks(TomlTable.parse("file.toml", text), () => allowed);
}

Deno.test("a hook is a list of texts, taken as they stand; without a file there are none", STRICT, () => {
  const hooks = read(`on-online = ["a"]\non-lost = ["/x y/b", "", "$(c)", "d e", '"']\n`);
  assert.deepEqual(hooks, { online: ["a"], lost: ["/x y/b", "", "$(c)", "d e", '"'] });
  assert.deepEqual(describeHooks(hooks), ['on-online ["a"]', 'on-lost ["/x y/b", "", "$(c)", "d e", "\\""]']);
  assert.deepEqual([readHooks(undefined), describeHooks({})], [{}, []]);
});

const LIST = /"on-lost" has to be a list of texts, as no shell splits it: on-lost = \["PROGRAM", "ARGUMENT"\]/;
const NO_PROGRAM = /"on-lost" names no program; for example: on-lost = \["\/usr\/local\/bin\/alert", "--now"\]/;

Deno.test("a hook of any other shape is refused with its place and what would do", STRICT, () => {
  const mistakes: [value: string, says: RegExp][] = [
    ['"alert --now"', LIST],
    ["true", LIST],
    ["1", LIST],
    ["{ program = 'alert' }", LIST],
    ['["alert", 1]', LIST],
    ['["alert", ["--now"]]', LIST],
    ['[["alert"]]', LIST],
    ["[]", NO_PROGRAM],
    ['["", "--now"]', NO_PROGRAM],
    ['["alert", "a\\u0000b"]', /"on-lost" has a NUL character/],
  ];
  for (const [value, says] of mistakes) {
    assert.throws(() => read(`# hooks\n on-lost = ${value}\n`), (error) => {
      assert.ok(error instanceof ConfigError, value);
      assert.match(error.message, says, value);
      assert.ok(error.message.startsWith("file.toml:2:2: ") && error.message.endsWith("\n       ^"), error.message);
      return true;
    });
  }
});

Deno.test("a hook that may not be run is refused with what would do", STRICT, () => {
  assert.throws(() => read('on-online = ["alert"]\n', false), {
    name: "ConfigError",
    message:
      /^file\.toml:1:1: "on-online": .* permission to run alert; start it with --allow-run, or take the key out\n/,
  });
});
