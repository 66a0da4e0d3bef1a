/**
 * `Deno.test` as this suite wants it: leaks are failures, and nothing hangs.
 *
 * @module
 */

/** Longest wait for anything that a test expects, in milliseconds. Reaching it is a failure. */
export const DEADLINE_MS = 15_000;

/** Registers a test with the sanitizers on and a deadline. */
export function test(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: () => within(fn(), `the end of "${name}"`, 2 * DEADLINE_MS),
  });
}

/** The outcome of `promise`, or a failure that says `what` was waited for. */
export async function within<T>(promise: Promise<T>, what: string, ms: number = DEADLINE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${ms} ms for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
