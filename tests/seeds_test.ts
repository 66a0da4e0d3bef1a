/**
 * The table of the seeds' words: every test that it names is there, and so is what it says that stands for a word.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "./rig/test.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where what stands for a word can be: what programs import, and what the command line, the files and the APIs know. */
const FACES = [
  ...["mod.ts", "docs/reference/options.md", "docs/reference/commands.md", "docs/reference/events.md"],
  ...["docs/reference/reasons.md", "docs/reference/api.md", "docs/reference/device-api.md"],
  ...["server/server.ts", "server/handle/served_device.ts", "server/handle/device_status.ts", "device/handle.ts"],
  ...["can/server/serve.ts", "net/limits.ts", "server/devices/sections.ts", "device/device.ts"],
];

const read = (path: string) => Deno.readTextFileSync(`${ROOT}${path}`);

/** Each row of the tables, by its cells. */
function rows(): string[][] {
  return read("docs/seeds.md").split("\n")
    .filter((line) => line.startsWith("|") && !/^\|[ -]+\|/.test(line) && !line.includes("| shown by"))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

/** The names of a file's tests, without what is filled in. */
function testsOf(file: string): string[] {
  return [...read(file).matchAll(/[tT]est\(\s*(["'`])(.*?)(?<!\\)\1/gs)].map(([, , name = ""]) => name);
}

test("every word of the seeds has a test, and each test that the table names is there", () => {
  const all = rows();
  assert.ok(all.length > 60, `${all.length} rows`);
  for (const cells of all) {
    assert.equal(cells.length, 3, cells.join(" | "));
    const [word, , shown = ""] = cells;
    const named = [...shown.matchAll(/`([^`]+_test\.ts)`: "([^"]+)"/g)];
    assert.ok(named.length > 0, `${word} has no test by its name`);
    assert.equal(named.length, shown.split(/; `/).length, `${word}: each of its tests has to be named: ${shown}`);
    for (const [, file = "", name = ""] of named) {
      assert.ok(testsOf(file).some((each) => each.includes(name)), `${word}: ${file} has no test "${name}"`);
    }
  }
});

test("what the table says that stands for a seed's word is there, by that name", () => {
  const faces = FACES.map(read).join("\n");
  let seen = 0;
  for (const [word, here = ""] of rows()) {
    for (const [, quoted = ""] of here.matchAll(/`([^`]+)`/g)) {
      for (const [name] of quoted.replace(/"[^"]*"|\b(gw1|10\.0\.0\.7:23|devices\.toml)\b/g, "").matchAll(/[-\w]+/g)) {
        seen++;
        assert.ok(new RegExp(`(?<![-\\w])${name}(?![-\\w])`).test(faces), `${word}: there is no ${name}`);
      }
    }
  }
  assert.ok(seen > 60, `${seen} names`);
});
