import assert from "node:assert/strict";
import { ONCE_ANSWER_MS, ONCE_TIMEOUT_MS } from "../limits.ts";
import type { GrantCode } from "../../protocol/v2/wire/messages.ts";
import { UnfinishedError } from "../../app/run.ts";
import type { StartedDevice } from "../device.ts";
import type { DeviceEvent } from "../events.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { proveOnce } from "./once.ts";

/** A device that ends when it is told to; what its server says is the test's. */
function played() {
  const clock = new FakeClock();
  const ended = Promise.withResolvers<void>();
  const answers = Promise.withResolvers<readonly GrantCode[]>();
  let tell: (event: DeviceEvent) => void = () => {};
  let isToBeTold = () => true;
  const started = {
    handle: {
      shutdown: () => Promise.resolve(ended.resolve()),
      subscribe: (subscriber: typeof tell) => void (tell = subscriber),
    },
    ways: { askGrants: () => answers.promise },
  } as unknown as StartedDevice;
  const proved = proveOnce((attend) => {
    isToBeTold = attend(started);
    return ended.promise;
  }, clock);
  const online = () => tell({ type: "online", server: "relay.example:7443" } as DeviceEvent);
  return { clock, proved, online, answer: answers.resolve, isToBeTold: () => isToBeTold(), tell: () => tell };
}

test("a device that is let in, and hears nothing of its services, is proved after a while", async () => {
  const { clock, proved, online, isToBeTold } = played();
  assert.equal(isToBeTold(), true);
  clock.tick(ONCE_TIMEOUT_MS - 1);
  online();
  assert.equal(isToBeTold(), false);
  clock.tick(ONCE_ANSWER_MS);
  assert.match((await proved)!, /is let in; which services are granted, the server did not say$/);
});

test("a device that is let in has to have one service granted", async () => {
  const some = played();
  some.online();
  some.answer(["not-granted", "granted"]);
  assert.equal(await some.proved, undefined);
  const none = played();
  none.online();
  none.answer(["not-granted", "not-granted"]);
  await assert.rejects(
    none.proved,
    (error) => error instanceof UnfinishedError && /let in, and none of its services is granted/.test(error.message),
  );
});

test("a device that is not let in in time says what went wrong with its last try", async () => {
  const { clock, proved, tell } = played();
  tell()({ type: "dial-failed", error: "Connection refused" } as DeviceEvent);
  clock.tick(ONCE_TIMEOUT_MS);
  await assert.rejects(proved, /did not let this device in within 30 s: Connection refused; what the string says/);
});
