/**
 * Work with a deadline, that only the end of what it waits for can end.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** Work was not done in time. */
export class Late extends Error {
  override readonly name = "Late";

  /** After `ms` milliseconds. */
  constructor(ms: number) {
    super(`not done within ${ms / 1000} s`);
  }
}

/**
 * Does `work`. If it is not done after `ms` milliseconds, `cut` has to make it end: it closes what the work reads from or
 * writes to.
 *
 * @throws {Late} in place of whatever the work came to after its time; what the work throws in time.
 */
export async function within<T>(clock: Clock, ms: number, cut: () => void, work: () => Promise<T>): Promise<T> {
  let late = false;
  const cancel = clock.after(ms, () => {
    late = true;
    cut();
  });
  try {
    const result = await work();
    if (!late) return result;
  } catch (error) {
    if (!late) throw error;
  } finally {
    cancel();
  }
  throw new Late(ms);
}
