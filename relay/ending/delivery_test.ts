import assert from "node:assert/strict";
import { LINGER_MS } from "../../net/limits.ts";
import { DRAIN_TIMEOUT_MS } from "../limits.ts";
import { Delivery } from "./delivery.ts";
import { WriteQueue } from "../write_queue.ts";
import { FakeDuplex } from "../_fakes_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

/** A delivery that ends with a reset, to a peer that has not acknowledged `left` bytes. */
async function resetting(left: number) {
  const clock = new FakeClock();
  const peer = { left, closedAt: undefined as number | undefined };
  const since = clock.now();
  const queue = new WriteQueue(new FakeDuplex(), { copyMax: 0, busyCopyMax: 0, onError: () => {} });
  const delivery: Delivery = new Delivery({
    queue,
    clock,
    isWhole: false,
    resets: () => true,
    closeWrite: () => Promise.reject(new Error("it is reset")),
    unacknowledged: () => peer.left,
    close: () => {
      peer.closedAt ??= clock.now() - since;
      delivery.cancel();
    },
  }, false);
  await settled();
  return { clock, peer, delivery };
}

test("who has acknowledged everything is reset at once", async () => {
  assert.equal((await resetting(0)).peer.closedAt, 0);
});

test("who acknowledges slowly what came before a reset gets all of it", async () => {
  const { clock, peer } = await resetting(10);
  for (; peer.left > 0; peer.left--) {
    await clock.advance(LINGER_MS - 200);
    assert.equal(peer.closedAt, undefined, `reset with ${peer.left} bytes under way`);
  }
  await clock.advance(LINGER_MS);
  assert.ok(peer.closedAt! < 10 * LINGER_MS);
  assert.equal(clock.pending, 0);
});

test("who acknowledges nothing more is reset soon, and nobody is waited for longer than the drain time", async () => {
  const silent = await resetting(10);
  await silent.clock.advance(LINGER_MS);
  assert.equal(silent.peer.closedAt, LINGER_MS);

  const slow = await resetting(1_000_000);
  for (let waited = 0; waited < DRAIN_TIMEOUT_MS; waited += 1_000) {
    slow.peer.left--;
    await slow.clock.advance(1_000);
  }
  assert.equal(slow.peer.closedAt, DRAIN_TIMEOUT_MS);
});
