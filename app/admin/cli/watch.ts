/**
 * `--watch`: what a command shows, again and again.
 *
 * @module
 */

import { sleep, systemClock } from "../../../base/clock.ts";
import { printLine } from "../../command.ts";
import { WATCH_MS } from "../../limits.ts";
import { stdout } from "../../output.ts";

/** How something is shown. */
export interface Shown {
  readonly json?: true;
  readonly watch?: true;
}

/** Asks, and shows the answer as JSON or in lines; with `watch` anew every two seconds, on a terminal in its place. */
export async function showFacts<T>(
  { json, watch }: Shown,
  ask: () => Promise<T>,
  linesOf: (facts: T, now: number) => readonly string[],
): Promise<void> {
  const never = new AbortController().signal;
  for (;;) {
    const facts = await ask();
    if (!json && watch && Deno.stdout.isTerminal()) stdout.write("\x1b[H\x1b[2J");
    const lines = json ? [JSON.stringify(facts)] : linesOf(facts, systemClock.wall());
    for (const line of lines) printLine(line);
    if (!watch) return;
    await sleep(systemClock, WATCH_MS, never);
  }
}
