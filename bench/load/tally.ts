/**
 * What went wrong in a load, counted.
 *
 * @module
 */

/** Milliseconds that a client waits for its answer when the time is up. */
export const PATIENCE = 5_000;

/** Failures by what they said. */
export class Tally {
  /** How often each was seen. */
  readonly errors: Record<string, number> = {};
  /** All together. */
  failed = 0;

  /** Counts a failure. */
  add(error: unknown): void {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.errors[text] = (this.errors[text] ?? 0) + 1;
    this.failed++;
  }
}
