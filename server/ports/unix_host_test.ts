import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { formatUnixHost, parseUnixHost, splitHosts } from "./unix_host.ts";

test("a Unix socket is a path, with who may connect behind it", () => {
  assert.deepEqual(parseUnixHost("unix:/run/s"), { unix: "/run/s" });
  assert.deepEqual(parseUnixHost("unix:/run/s,mode=0660,group=ssh"), { unix: "/run/s", mode: 0o660, group: "ssh" });
  assert.deepEqual(parseUnixHost("unix:/run/s,group=1000,mode=600"), { unix: "/run/s", mode: 0o600, group: "1000" });
  for (const text of ["unix:/run/s", "unix:/run/s,mode=0660", "unix:/run/s,mode=0007,group=a-b_c.d"]) {
    assert.equal(formatUnixHost(parseUnixHost(text)), text);
  }
});

const BAD: readonly [text: string, why: RegExp][] = [
  ["unix:run/s", /write its whole path/],
  ["unix:@s", /has no mode, so that everybody here could connect; write a path/],
  ["unix:/run/s,mode=660x", /mode "660x" in .* is none; write three or four octal digits/],
  ["unix:/run/s,mode=4755", /is none/],
  ["unix:/run/s,mode=0980", /is none/],
  ["unix:/run/s,mode=0660,mode=0660", /says mode twice/],
  ["unix:/run/s,group=", /group "" in .* is none; write its name or its number/],
  ["unix:/run/s,group=a:b", /is none/],
  ["unix:/run/s,owner=me", /"owner=me" in .* is nothing here; there are mode=0660 and group=NAME/],
  ["unix:/run/s,", /is nothing here/],
];

for (const [text, why] of BAD) {
  test(`"${text}" is no Unix socket to listen at, and the message says why`, () => {
    assert.throws(() => parseUnixHost(text), (error) => error instanceof SyntaxError && why.test(error.message));
  });
}

test("a list is split at commas, but not between a socket and what is said of it", () => {
  const hosts = ["ssh=unix:/run/s,mode=0660,group=ssh", "web=0.0.0.0:80", "b=unix:/run/b", "c=unix:/run/c,mode=0600"];
  assert.deepEqual(splitHosts(hosts.join(",")), hosts);
  const forwards = ["unix:/run/s,mode=0660,group=ssh=127.0.0.1:22", "0.0.0.0:80=127.0.0.1:80"];
  assert.deepEqual(splitHosts(forwards.join(",")), forwards);
});

test("whatever is written, there is a socket or one line about why not", () => {
  const word = fc.constantFrom("unix:", "/", "a", ",mode=", "0660", ",group=", "ssh", "@", ",", "=", "\n");
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(word).map((words) => words.join(""))), (text) => {
    try {
      assert.deepEqual(parseUnixHost(formatUnixHost(parseUnixHost(text))), parseUnixHost(text));
    } catch (error) {
      assert.ok(error instanceof SyntaxError, String(error));
    }
  }));
});
