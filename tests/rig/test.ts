/**
 * `Deno.test` as all suites want it: leaks are failures, and nothing hangs.
 *
 * @module
 */

import { TempFolder } from "./temp_folder.ts";
import { DEADLINE_MS, within } from "./wait.ts";

/** What else a test may say. */
export interface TestOptions {
  /** Whether it is left out, as this machine cannot run it. @default {false} */
  readonly ignore?: boolean;
}

/** Registers a test with the sanitizers on and a deadline. */
export function test(name: string, fn: () => void | Promise<void>, { ignore = false }: TestOptions = {}): void {
  Deno.test({
    name,
    ignore,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: () => {
      const done = fn();
      return done instanceof Promise ? within(done, `the end of "${name}"`, 2 * DEADLINE_MS) : undefined;
    },
  });
}

/** A {@linkcode test} with a folder of its own, by its path. */
export function folderTest(name: string, fn: (folder: string) => void | Promise<void>, options?: TestOptions): void {
  test(name, async () => {
    using folder = new TempFolder();
    await fn(folder.path);
  }, options);
}
