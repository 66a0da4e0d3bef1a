/**
 * `Deno.test` as all suites want it: leaks are failures, and nothing hangs.
 *
 * @module
 */

import { nativeEngine, whyNotNative } from "../../net/native/engine.ts";
import { TempFolder } from "./temp_folder.ts";
import { DEADLINE_MS, within } from "./wait.ts";

// The libraries stay for as long as the process lives: loaded within a test, they would count as its leak.
whyNotNative();

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
    fn: () => within(wholly(fn), `the end of "${name}"`, 2 * DEADLINE_MS),
  });
}

/** Whether a test has failed, and perhaps left sockets: those after it do not wait for them. */
let isSpoilt = false;

/** A test and what its sockets leave: the engine waits for the kernel on another thread until the last one is closed. */
export async function wholly(fn: () => void | Promise<void>): Promise<void> {
  try {
    await fn();
    const engine = isSpoilt ? undefined : nativeEngine();
    if (engine) await within(engine.quiet(), "all sockets of the native engine to be closed");
  } catch (error) {
    isSpoilt = true;
    throw error;
  }
}

/** A {@linkcode test} with a folder of its own, by its path. */
export function folderTest(name: string, fn: (folder: string) => void | Promise<void>, options?: TestOptions): void {
  test(name, async () => {
    using folder = new TempFolder();
    await fn(folder.path);
  }, options);
}
