/**
 * Changes of a daemon that runs, all or none: each is prepared first, which is where it can fail, and made then.
 *
 * @module
 */

import { describeInOneLine } from "../../base/errors.ts";
import { ConfigError } from "../toml/config_error.ts";

/** A change could not be made when others had been, which stay. */
export class PartlyChangedError extends ConfigError {
  /** `made`: what is said of those. */
  constructor(made: readonly string[], cause: unknown) {
    super(`${describeInOneLine(cause)}; what had changed before that stays: ${made.join(", ")}`, { cause });
    this.name = "PartlyChangedError";
  }
}

/** A change that is prepared: whatever could fail has been done, and nothing is different yet. */
export interface Change {
  /** What is said of it, a line each. */
  readonly told: readonly string[];
  /** Makes it. */
  commit(): void | Promise<void>;
  /** Gives up what was prepared for it. */
  undo?(): void | Promise<void>;
}

/** Prepares a change; `undefined` if there is none. It throws if the change cannot be. */
export type Preparation = () => Change | undefined | Promise<Change | undefined>;

/**
 * Makes all changes, in their order, or none.
 *
 * @returns what is said of them.
 * @throws What the first one fails with that cannot be.
 */
export async function changeAll(preparations: Iterable<Preparation>): Promise<string[]> {
  const changes: Change[] = [];
  try {
    for (const prepare of preparations) {
      const change = await prepare();
      if (change) changes.push(change);
    }
  } catch (error) {
    for (const change of changes.toReversed()) await change.undo?.();
    throw error;
  }
  await commitAll(changes);
  return changes.flatMap(({ told }) => told);
}

/**
 * Makes changes that are prepared, in their order.
 *
 * @throws What one fails with, which leaves nothing behind itself: those before it stay, as a {@linkcode PartlyChangedError}
 *   says, those behind it are given up.
 */
export async function commitAll(changes: readonly Change[]): Promise<void> {
  for (const [at, change] of changes.entries()) {
    try {
      await change.commit();
    } catch (error) {
      for (const left of changes.slice(at + 1).toReversed()) await left.undo?.();
      const made = changes.slice(0, at).flatMap(({ told }) => told);
      throw made.length > 0 ? new PartlyChangedError(made, error) : error;
    }
  }
}

/**
 * Does what follows changes that are made, and cannot be undone any more.
 *
 * @throws {PartlyChangedError} with what is said of those, if it fails.
 */
export async function afterChanges(made: readonly string[], follow: () => Promise<void>): Promise<void> {
  try {
    await follow();
  } catch (error) {
    throw made.length > 0 ? new PartlyChangedError(made, error) : error;
  }
}
