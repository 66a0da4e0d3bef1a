/**
 * Waiting, always with an end.
 *
 * @module
 */

/** Longest wait for anything that a test expects, in milliseconds. Reaching it is a failure. */
export const DEADLINE_MS = 15_000;

/** Between two looks of {@linkcode poll}, in milliseconds. */
const LOOK_MS = 20;

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

/** For what nobody tells: asks until `holds` is true; after `ms` it is a failure, with what `found` says. */
export async function poll(
  holds: () => boolean | Promise<boolean>,
  found: () => string,
  ms: number = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!await holds()) {
    if (performance.now() > deadline) throw new Error(`Waited ${ms} ms in vain: ${found()}`);
    await pause(LOOK_MS);
  }
}

/** For measurements and faults, where the time itself is the point: `ms` milliseconds go by. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Lets everything run that is ready to run: fakes resolve in microtasks, and none is left after a turn. */
export function settled(): Promise<void> {
  return pause(0);
}

/** Whether a promise has been settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true, () => done = true);
  await settled();
  return done;
}
