/**
 * For what nobody tells: asking again and again, with a deadline.
 *
 * @module
 */

import { DEADLINE_MS } from "./test.ts";

/** Asks until `holds` is true; after `ms` it is a failure, with what `found` says. */
export async function poll(
  holds: () => boolean | Promise<boolean>,
  found: () => string,
  ms: number = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!await holds()) {
    if (performance.now() > deadline) throw new Error(`Waited ${ms} ms in vain: ${found()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
