/**
 * Reading a configuration anew while a daemon runs: what is different, and what came of it.
 *
 * @module
 */

import type { Logger } from "../../base/logger.ts";
import { describeInOneLine } from "../../base/errors.ts";
import { PartlyChangedError } from "./change.ts";

/** What came of a reload, a line each. */
export interface Reloaded {
  /** What changed. */
  readonly changed: readonly string[];
  /** What cannot change without a restart. */
  readonly restart: readonly string[];
}

/** Collects that. */
export class ReloadReport implements Reloaded {
  readonly changed: string[] = [];
  readonly restart: string[] = [];

  /** Names that cannot change while the daemon runs. */
  wait(names: Iterable<string>): void {
    for (const name of names) this.restart.push(`${name} cannot change without a restart`);
  }
}

/** The names of values that differ, functions left aside. */
export function differing(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSame(before[name], after[name])).sort();
}

/** Whether two values are written alike. */
export function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one, plain) === JSON.stringify(other, plain);
}

/** Bytes and numbers beyond JSON, so that they differ where they do. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value].join(",");
  return value === Infinity ? "Infinity" : value;
}

/** What is in force: `after`, but for the values of `names`, which are as they were. */
export function inForce<T extends object>(before: T, after: T, names: Iterable<string>): T {
  const values = { ...after } as Record<string, unknown>;
  const old = { ...before } as Record<string, unknown>;
  for (const name of names) {
    if (name in old) values[name] = old[name];
    else delete values[name];
  }
  return values as T;
}

/** The reloads of a daemon, one after the other: what comes of each goes to the log, and a mistake changes nothing. */
export class Reloads {
  readonly #reload: () => Promise<Reloaded>;
  readonly #logger: Logger;
  #waiting: readonly string[] = []; // what the last one told that cannot change

  /** Those that `reload` makes. */
  constructor(reload: () => Promise<Reloaded>, logger: Logger) {
    this.#reload = oneAtATime(reload);
    this.#logger = logger;
  }

  /** By an act. @returns what came of it. @throws what was wrong: whoever asked is told, and not the log. */
  async now(): Promise<Reloaded> {
    const reloaded = await this.#reload();
    this.#tell(reloaded, false);
    return reloaded;
  }

  /**
   * Because of `why`, a signal or a file.
   *
   * @param tellsAlways Whether it is also told what was told before, and that nothing is different.
   */
  async because(why: string, tellsAlways: boolean): Promise<void> {
    try {
      this.#tell(await this.#reload(), tellsAlways);
    } catch (error) {
      const what = error instanceof PartlyChangedError ? "" : "nothing was changed: ";
      this.#logger.error("{why}: {what}{error}", { why, what, error: describeInOneLine(error) });
    }
  }

  #tell({ changed, restart }: Reloaded, tellsAlways: boolean): void {
    for (const line of changed) this.#logger.info("reloaded: {line}", { line });
    for (const line of restart) {
      if (tellsAlways || !this.#waiting.includes(line)) this.#logger.warn("not changed: {line}", { line });
    }
    this.#waiting = restart;
    if (tellsAlways && changed.length + restart.length === 0) this.#logger.info("reloaded: nothing is different");
  }
}

/** The same function, one call after the other: two reloads at once would each undo a part of the other. */
export function oneAtATime<T>(fn: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(fn);
    last = next.catch(() => {});
    return next;
  };
}
