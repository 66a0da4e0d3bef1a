import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { MAX_SELECTOR } from "../limits.ts";
import { isPattern, parseTag, selector } from "./selector.ts";

test("a name selects itself, a star any part, a question mark one character", () => {
  const cases: [string, string[], string[]][] = [
    ["gw1", ["gw1"], ["gw10", "GW1", "gw"]],
    ["gw*", ["gw", "gw1", "gw.a-b"], ["g", "xgw1"]],
    ["*-north-*", ["a-north-1", "-north-"], ["a-north", "north-1"]],
    ["gw?", ["gw1", "gwx"], ["gw", "gw10"]],
    ["*", ["", "gw1"], []],
    ["a*b*c", ["abc", "aXbYc", "abbc"], ["ab", "acb"]],
    ["gw.1", ["gw.1"], ["gwx1"]],
  ];
  for (const [pattern, yes, no] of cases) {
    const isMeant = selector(pattern);
    for (const name of yes) assert.equal(isMeant(name), true, `${pattern} ${name}`);
    for (const name of no) assert.equal(isMeant(name), false, `${pattern} ${name}`);
  }
  assert.deepEqual([isPattern("gw1"), isPattern("gw?")], [false, true]);
  for (const text of ["", "gw 1", "gw/1", "[a-z]", "*".repeat(MAX_SELECTOR + 1)]) {
    assert.throws(() => selector(text), SyntaxError, text);
  }
});

test("tags select whoever has them, by stars too", () => {
  const isMeant = selector("tag=site:*");
  assert.equal(isMeant("gw1", ["lte", "site:berlin"]), true);
  for (const tags of [undefined, [], ["site"], ["lte", "xsite:berlin"]]) {
    assert.equal(isMeant("site:berlin", tags), false);
  }
  assert.equal(isPattern("tag=lte"), true, "several may have it");
  for (const tag of ["l-te", "lte", "site:berlin", "a.b_c-9:7"]) assert.equal(parseTag(tag), tag);
  for (const tag of ["", "-site:berlin", "a b", "a:b:c", ":a", "a:", "tag=x", "*", "x".repeat(64)]) {
    assert.throws(() => parseTag(tag), SyntaxError, tag);
  }
});

test("a pattern selects what the same regular expression does, and many stars take no time", () => {
  const part = fc.constantFrom("a", "b", ".", "*", "?");
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), fc.stringMatching(/^[ab.]{0,8}$/), (parts, name) => {
      const pattern = parts.join("");
      const regex = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".")}$`);
      assert.equal(selector(pattern)(name), regex.test(name));
    }),
  );
  const began = performance.now();
  assert.equal(selector(`${"a*".repeat(100)}b`)("a".repeat(5_000)), false);
  assert.ok(performance.now() - began < 1_000);
});
