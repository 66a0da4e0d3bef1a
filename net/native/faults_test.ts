/**
 * The native engine over a kernel that fails at every call, by seed: streams stay whole or fail, nothing hangs, and each
 * descriptor is closed once.
 *
 * @module
 */

import assert from "node:assert/strict";
import { never } from "../_engines_fixture_test.ts";
import { NativeEngine } from "./engine.ts";
import { FakeKernel } from "./_kernel_fixture_test.ts";
import type { ListeningSocket, Socket } from "../socket.ts";
import { noise } from "../../tests/rig/bytes.ts";
import { Random } from "../../tests/rig/random.ts";
import { within } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const SEEDS = 150;
const CLIENTS = 12;
/** Of the loop itself. */
const LOOP_DESCRIPTORS = 3;

/** What `fn` gives, as often as it takes until it does not throw. */
function atLast<T>(fn: () => T): T {
  for (let tries = 0;; tries++) {
    try {
      return fn();
    } catch (error) {
      if (tries > 100) throw error;
    }
  }
}

/** How one direction of a connection went, at its reader. */
interface Tally {
  whole: number;
  failed: number;
}

/** Both directions of a connection at one of its ends, which is closed then: in order, or by a reset if it failed. */
async function serve(
  socket: Socket,
  own: Uint8Array,
  theirs: Uint8Array,
  random: Random,
  tally: Tally,
  mayBeNobody = false,
): Promise<void> {
  const results = await Promise.allSettled([send(socket, own, random), receive(socket, theirs, random, mayBeNobody)]);
  const [sent, received] = results;
  if (received.status === "fulfilled") tally.whole++;
  else {
    if (received.reason instanceof assert.AssertionError) throw received.reason;
    tally.failed++;
  }
  if (sent.status === "fulfilled" && received.status === "fulfilled" && random.oneIn(2)) socket.close();
  else socket.reset();
  socket.close();
}

async function send(socket: Socket, bytes: Uint8Array, random: Random): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + 1 + random.upTo(20_000));
      const now = random.oneIn(2) ? socket.writeNow!(piece) : 0;
      at += now;
      if (now < piece.length) at += await socket.write(piece.subarray(now));
    }
    await socket.closeWrite();
  } catch (error) {
    socket.reset(); // else a part would look like the whole
    throw error;
  }
}

/** Reads to the end. `mayBeNobody`: a dial that was given up just when it was made is an end without a byte. */
async function receive(socket: Socket, wanted: Uint8Array, random: Random, mayBeNobody: boolean): Promise<void> {
  const into = new Uint8Array(30_000);
  for (let at = 0;;) {
    const read = socket.read(into.subarray(0, 1 + random.upTo(into.length - 1)));
    const count = read instanceof Promise ? await read : read;
    if (count === null && at === 0 && mayBeNobody) throw new Error("nobody");
    if (count === null) return assert.equal(at, wanted.length, "a part was taken for the whole");
    assert(count > 0);
    assert.deepEqual(into.subarray(0, count), wanted.subarray(at, at + count));
    at += count;
  }
}

/** Accepts, whatever fails, until it is closed. */
async function acceptAll(listener: ListeningSocket, isOpen: () => boolean, onSocket: (socket: Socket) => void) {
  for (let failures = 0; isOpen();) {
    try {
      onSocket(await listener.accept());
      failures = 0;
    } catch {
      if (++failures > 1_000) throw new Error("nobody is accepted any more");
    }
  }
}

async function run(seed: number, tally: Tally): Promise<void> {
  const random = new Random(seed);
  const kernel = new FakeKernel(new Random(seed + 1_000), 4 + random.upTo(20));
  const engine = atLast(() => new NativeEngine(kernel));
  assert.equal(kernel.open, LOOP_DESCRIPTORS, "a loop that could not be made leaves something");
  const listener = atLast(() => engine.listen({ host: "127.0.0.1", port: 7_000 }, { resets: true }));
  const [up, down] = [noise(60_000, seed), noise(40_000, seed + 1)];
  const work: Promise<void>[] = [];
  let isOpen = true;
  const accepting = acceptAll(listener, () => isOpen, (socket) => {
    const served = serve(socket, down, up, new Random(seed + work.length), tally, true);
    served.catch(() => {}); // it is looked at in the end
    work.push(served);
  });
  const dial = async (n: number) => {
    for (let tries = 0; tries < 5; tries++) {
      const abort = new AbortController();
      if (random.oneIn(6)) setTimeout(() => abort.abort(), 0);
      const { signal } = random.oneIn(2) ? abort : { signal: never };
      const socket = await engine.connect({ host: "127.0.0.1", port: 7_000 }, { signal }).catch(() => undefined);
      if (!socket) continue;
      return await serve(socket, up, down, new Random(seed + n + 50), tally);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, n) => dial(n)));
  isOpen = false;
  listener.close();
  await accepting;
  await Promise.all(work);
  await engine.quiet();
  assert.deepEqual([kernel.wrongCloses, kernel.open], [[], LOOP_DESCRIPTORS], "descriptors");
}

test("whatever fails, streams stay whole or fail, nothing hangs, and descriptors are closed once", async () => {
  const tally = { whole: 0, failed: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      await within(run(seed, tally), "the end of all connections", 5_000);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
  assert(tally.whole > SEEDS && tally.failed > SEEDS, `${tally.whole} whole, ${tally.failed} failed`);
});
