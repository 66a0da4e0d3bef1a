import assert from "node:assert/strict";
import { ConfigError } from "../../app/toml/config_error.ts";
import { TestAuthority } from "../../net/tls/_tls_fixture_test.ts";
import { test } from "../../tests/rig/test.ts";
import { readCa } from "./ca.ts";

test("a CA is read from a file, in one line told why not, and a pipe keeps nobody waiting", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/ca.pem`;
    const { cert } = await TestAuthority.make();
    await Deno.writeTextFile(file, `\uFEFF${cert}`);
    assert.equal(readCa(file), cert);
    const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    assert.ok(success);
    assert.throws(() => readCa(`${folder}/pipe`), (error) => {
      return error instanceof ConfigError && error.message === `Cannot use ${folder}/pipe as --ca: it is not a file`;
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
