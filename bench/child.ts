/**
 * How the bench starts its processes.
 *
 * @module
 */

import { Child, type ChildOptions } from "../tests/rig/processes/child.ts";

/** Files that a process may have open: 10,000 clients and what else it needs. */
export const OPEN_FILES = 11_000;

/** Starts a process of the bench, its stdin open. */
export function startChild(name: string, command: readonly string[], options: ChildOptions = {}): Child {
  return Child.start(name, command, { input: true, openFiles: OPEN_FILES, ...options });
}

/** Waits for the end of a process, which has to come within `ms`, else it is ended. @returns its exit code. */
export async function endOf(child: Child, ms: number): Promise<number> {
  try {
    return await child.end(ms);
  } catch (error) {
    await child.stop();
    throw error;
  }
}
