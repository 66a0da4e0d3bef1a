/**
 * Loaded ahead of a server (`deno run --preload`): at SIGUSR2 it begins to look how long turns of the event loop are, and
 * at the next one it says so on stdout and ends that. What counts is the CPU time of the thread, so that other processes on
 * the machine do not; a look costs itself some 20 µs a millisecond, so none is taken in between.
 *
 * @module
 */

import { say } from "../../tests/rig/say.ts";

const CLOCK_THREAD_CPUTIME_ID = 3;
const { symbols: libc } = Deno.dlopen("libc.so.6", {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
});
const time = new BigInt64Array(2);

/** CPU milliseconds of this thread. */
function cpu(): number {
  libc.clock_gettime(CLOCK_THREAD_CPUTIME_ID, time);
  return Number(time[0]) * 1e3 + Number(time[1]) / 1e6;
}

let timer: ReturnType<typeof setInterval> | undefined;
let [longest, over, last] = [0, 0, 0];

/** A turn of that many milliseconds is one that is counted. */
const LONG_MS = 10;

function look(): void {
  const now = cpu();
  longest = Math.max(longest, now - last);
  if (now - last > LONG_MS) over++;
  last = now;
}

Deno.addSignalListener("SIGUSR2", () => {
  if (timer === undefined) {
    [longest, over, last] = [0, 0, cpu()];
    timer = setInterval(look, 1);
    say("looking");
    return;
  }
  look();
  clearInterval(timer);
  timer = undefined;
  say(`turns ${longest.toFixed(1)} ${over}`);
});
