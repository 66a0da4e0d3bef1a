import assert from "node:assert/strict";
import { describeError, errorCode, isExhaustion, whyUnreadable } from "./errors.ts";
import { test } from "../tests/rig/test.ts";

test("an error is described in one line, without the system's number", () => {
  assert.equal(describeError(new Error("Connection refused (os error 111)")), "Connection refused");
  assert.equal(
    describeError(new Error("Read-only file system (os error 30): open '/x'")),
    "Read-only file system: open '/x'",
  );
  assert.equal(describeError(new TypeError("")), "TypeError");
  assert.equal(describeError("text"), "text");
  assert.equal(describeError(undefined), "undefined");
});

test("a real refusal has the system's code and reads well", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await Deno.connect({ hostname: "127.0.0.1", port }).then(() => assert.fail("connected"), (e) => e);
  assert.equal(errorCode(error), "ECONNREFUSED");
  assert.equal(describeError(error), "Connection refused");
  assert.equal(isExhaustion(error), false);
});

test("a file that is not there is told in plain words, and all else as the system has it", () => {
  assert.throws(() => Deno.readTextFileSync("/no/such/file"), (error) => {
    return whyUnreadable(error) === "there is no such file";
  });
  assert.equal(whyUnreadable(Object.assign(new Error("x"), { code: "EACCES" })), "permission denied");
  assert.equal(whyUnreadable(new Error("Is a directory (os error 21)")), "Is a directory");
});

test("only texts count as a code", () => {
  assert.equal(errorCode(Object.assign(new Error(), { code: 5 })), undefined);
  assert.equal(errorCode(new Error()), undefined);
  assert.equal(errorCode({ code: "EMFILE" }), undefined);
});

test("running out of descriptors or buffers is exhaustion, by code or by number", () => {
  for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]) {
    assert.equal(isExhaustion(Object.assign(new Error("x"), { code })), true, code);
  }
  for (const number of [23, 24, 105, 12]) {
    assert.equal(isExhaustion(new Error(`Too many (os error ${number})`)), true, `${number}`);
  }
  assert.equal(isExhaustion(new Error("Connection reset (os error 104)")), false);
  assert.equal(isExhaustion(Object.assign(new Error("x (os error 24)"), { code: "ECONNABORTED" })), false);
  assert.equal(isExhaustion("os error 24)"), false);
});
