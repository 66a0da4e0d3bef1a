/**
 * Numbers, times and lists for people.
 *
 * @module
 */

/** A time in milliseconds as in `612 ms`, `12.3 s`, `15 s` or `10 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/** When something was, to the second: not after its time, and with its time of day whatever that is. */
export function formatPastTime(time: number): string {
  return new Date(Math.floor(time / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** Things as in `a`, `a and b`, `a, b and c`. */
export function listed(things: readonly string[]): string {
  return things.length < 2 ? things.join() : `${things.slice(0, -1).join(", ")} and ${things.at(-1)}`;
}
