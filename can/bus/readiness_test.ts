import assert from "node:assert/strict";
import { engines } from "../../net/_engines_fixture_test.ts";
import { CLOEXEC, libc, NONBLOCK } from "../../net/kernel/libc.ts";
import { nativeEngine } from "../../net/native/engine.ts";
import { test } from "../../tests/rig/test.ts";
import { within } from "../../tests/rig/wait.ts";
import { readinessOf } from "./readiness.ts";

const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

for (const engine of engines) {
  test(`${engine.name}: a descriptor is told as long as there is something to read, and not afterwards`, async () => {
    const calls = libc();
    if (!calls) return;
    const fd = calls.eventfd(0, NONBLOCK | CLOEXEC);
    let told = 0;
    let enough = Promise.withResolvers<void>();
    const watch = readinessOf(engine).watch(fd, () => {
      if (++told % 3 !== 0) return; // what was told and not read is told again
      calls.read(fd, new Uint8Array(8), 8n);
      enough.resolve();
    });
    for (let round = 1; round <= 3; round++) {
      calls.write(fd, ONE, 8n);
      await within(enough.promise, "three calls");
      enough = Promise.withResolvers();
      assert.equal(told, 3 * round);
    }
    await watch.close();
    calls.close(fd);
    await nativeEngine()?.quiet();
    assert.equal(told, 9);
  });
}
