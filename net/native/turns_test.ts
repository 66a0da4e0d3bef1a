import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { pause } from "../../tests/rig/wait.ts";
import type { Duplex } from "../socket.ts";
import { socketCalls } from "./calls.ts";
import { NativeEngine } from "./engine.ts";
import { SHORT_TURN_US, TURN_US } from "./limits.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };
const never = new AbortController().signal;

/** An engine that notes how long its turns are, in microseconds; `undefined` where there is none. */
function watchedEngine(): { readonly engine: NativeEngine; readonly turns: number[] } | undefined {
  const calls = socketCalls();
  if (!calls) return undefined;
  const turns: number[] = [];
  const engine = new NativeEngine({
    ...calls,
    timerfd_settime: (fd, flags, time, before) => {
      turns.push(Number(new DataView((time as Uint8Array<ArrayBuffer>).buffer).getBigInt64(24, true) / 1_000n));
      return calls.timerfd_settime(fd, flags, time, before);
    },
  });
  return { engine, turns };
}

/** A byte goes there and back, again and again. */
async function playPingPong(near: Duplex, far: Duplex, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const [from, to] of [[near, far], [far, near]] as const) {
      const heard = to.read(new Uint8Array(1));
      await from.write(new Uint8Array(1));
      await heard;
    }
  }
}

test("turns are short while what comes is answered by the runtime's own sockets", async () => {
  const watched = watchedEngine();
  if (!watched) return;
  const { engine, turns } = watched;
  const listener = engine.listen(LOCAL);
  const far = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
  const near = await listener.accept();
  listener.close();
  await playPingPong(near, far, 100);
  near.close();
  far.close();
  await engine.quiet();
  const short = turns.filter((us) => us === SHORT_TURN_US).length;
  assert.ok(turns.length >= 100 && short > 0.8 * turns.length, `${short} of ${turns.length}`);
});

test("turns are long while there is much to do", async () => {
  const watched = watchedEngine();
  if (!watched) return;
  const { engine, turns } = watched;
  const listener = engine.listen(LOCAL);
  const near = await engine.connect(listener.address, { signal: never });
  const far = await listener.accept();
  listener.close();
  for (let tries = 0; tries < 100 && !turns.includes(TURN_US); tries++) await playPingPong(near, far, 100);
  near.close();
  far.close();
  await engine.quiet();
  assert.ok(turns.includes(TURN_US), turns.join());
  assert.ok(turns.every((us) => us >= SHORT_TURN_US && us <= TURN_US));
});

test("the runtime's timers, files and sockets have their turn beside a loop that is never at rest", async () => {
  const watched = watchedEngine();
  if (!watched) return;
  const { engine } = watched;
  const listener = engine.listen(LOCAL);
  const near = await engine.connect(listener.address, { signal: never });
  const far = await listener.accept();
  const peer = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
  const echo = await listener.accept();
  listener.close();
  const done = { timers: 0, files: 0, sockets: 0 };
  let isOver = false;
  const runtime = [
    repeat("timers", () => pause(1)),
    repeat("files", () => Deno.stat(".")),
    repeat("sockets", async () => {
      const heard = peer.read(new Uint8Array(1));
      await echo.write(new Uint8Array(1));
      await heard;
    }),
  ];
  async function repeat(what: keyof typeof done, once: () => Promise<unknown>): Promise<void> {
    for (; !isOver; done[what]++) await once();
  }
  const isDone = () => Math.min(...Object.values(done)) >= 10;
  for (const until = performance.now() + 1_000; !isDone() && performance.now() < until;) {
    await playPingPong(near, far, 100);
  }
  isOver = true;
  await Promise.all(runtime);
  for (const socket of [near, far, peer, echo]) socket.close();
  await engine.quiet();
  assert.ok(isDone(), JSON.stringify(done));
});
