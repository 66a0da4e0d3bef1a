/**
 * Durations as people write them.
 *
 * @module
 */

import { MAX_DURATION_MS } from "./limits.ts";

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 };

/** Parses `10s`, `500ms`, `2m`, `1h` or `1d`, up to 7 days; 0 needs no unit. @returns milliseconds. */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? [];
  if (number === undefined) throw new SyntaxError(`"${text}" is not a duration; write one as in 10s, 500ms or 2m`);
  if (unit === undefined && Number(number) > 0) { // seconds to one, minutes to another
    throw new SyntaxError(
      `"${text}" has no unit; write ${number}s for seconds, ${number}m for minutes, ${number}h for hours (or ms, d)`,
    );
  }
  const ms = Math.round(Number(number) * UNITS[unit ?? "s"]!);
  if (ms > MAX_DURATION_MS) throw new SyntaxError(`"${text}" is too long; 7d is the longest`);
  return ms;
}

/** The inverse of {@linkcode parseDuration}, in the largest unit that leaves a whole number. */
export function writeDuration(ms: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => ms >= size && ms % size === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

/** As {@linkcode parseDuration}, for times of which 0 would make no sense. */
export function parsePositiveDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === 0) throw new SyntaxError(`"${text}" is too short; write a duration above 0`);
  return ms;
}
