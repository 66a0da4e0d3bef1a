import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { splitServices } from "../v2/named_service.ts";
import { parseNamedService } from "../v2/named_service.ts";
import { parseProgram } from "./exec.ts";

test("a program is a list of texts, as no shell splits it, with what is said of it behind", () => {
  const log = { pty: false, stderr: "log" };
  assert.deepEqual(parseProgram('["/bin/cat"]'), { command: ["/bin/cat"], ...log });
  assert.deepEqual(parseProgram('["/bin/x y", "a,b]", "\\"", ""]'), { command: ["/bin/x y", "a,b]", '"', ""], ...log });
  assert.deepEqual(parseProgram('["/bin/sh"],pty'), { command: ["/bin/sh"], pty: true, stderr: "log" });
  assert.deepEqual(parseProgram('["/bin/sh"],stderr=client'), { command: ["/bin/sh"], pty: false, stderr: "client" });
});

const BAD: readonly [text: string, why: RegExp][] = [
  ["/bin/cat", /is no list of texts; write exec:\["\/usr\/bin\/program","argument"\], as no shell splits it/],
  ["", /is no list of texts/],
  ["[", /is no list of texts/],
  ["{}", /is no list of texts/],
  ["[1]", /is no list of texts/],
  ["[]", /does not begin with the whole path of a program/],
  ['["cat"]', /does not begin with the whole path/],
  ['["/bin/"]', /does not begin with the whole path/],
  ['["/bin/cat","a\\u0000b"]', /has a NUL character/],
  ['["/bin/cat"],tty', /"tty" in .* is nothing here/],
  ['["/bin/cat"],pty,pty', /stands there twice/],
  ['["/bin/cat"],stderr=null', /there are pty, stderr=log and stderr=client/],
  ['["/bin/cat"],pty,stderr=log', /a terminal has one output; leave stderr=log out/],
];

for (const [text, why] of BAD) {
  test(`exec:${text} is no program, and the message says why`, () => {
    assert.throws(() => parseProgram(text), (error) => error instanceof SyntaxError && why.test(error.message));
  });
}

test("a service of a program has the details that make sense for it, and the others are refused", () => {
  assert.deepEqual(parseNamedService('c=exec:["/bin/a","b,c"],pty,max-clients=2'), {
    name: "c",
    endpoint: 'exec:["/bin/a","b,c"],pty',
    maxClients: 2,
  });
  const services = ['c=exec:["/bin/a","b=c,d"],pty,max-clients=2', 'd=exec:["/bin/a"],stderr=client', "e=h:1"];
  assert.deepEqual(splitServices(services.join(",")), services);
  const odd = ["a=can:slcan:/dev/=[x[0", 'b=unix:/run/"x', "c=h:1"]; // no list there
  assert.deepEqual(splitServices(odd.join(",")), odd);
  assert.throws(() => parseNamedService('c=exec:["/bin/a"],proxy=v2'), /header for sockets; leave it out of exec:/);
  assert.throws(() => parseNamedService('c=exec:["/bin/a"],down=refuse'), /can be looked at; leave it out of exec:/);
});
