/**
 * The table of the seeds' words: every test that it names is there.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Each row of the tables, by its cells. */
function rows(): string[][] {
  return Deno.readTextFileSync(`${ROOT}docs/seeds.md`).split("\n")
    .filter((line) => line.startsWith("|") && !/^\|[ -]+\|/.test(line) && !line.includes("| shown by"))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("every word of the seeds has a test, and each test that the table names is there", () => {
  const all = rows();
  assert.ok(all.length > 40, `${all.length} rows`);
  let named = 0;
  for (const cells of all) {
    assert.equal(cells.length, 3, cells.join(" | "));
    const [word, , shown = ""] = cells;
    const tests = [...shown.matchAll(/`([^`]+_test\.ts)`(?:: "([^"]+)")?/g)];
    assert.ok(tests.length > 0, `${word} has no test`);
    for (const [, file, name] of tests) {
      const text = Deno.readTextFileSync(`${ROOT}${file}`);
      named++;
      if (name !== undefined) assert.ok(text.includes(name), `${word}: ${file} has no test "${name}"`);
    }
  }
  assert.ok(named >= all.length);
});
