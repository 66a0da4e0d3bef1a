/**
 * What is measured, and how it is written.
 *
 * @module
 */

import { DemoError } from "./processes.ts";

/** Runs something. @returns its result and its time in milliseconds. */
export async function timed<T>(promise: Promise<T>): Promise<[result: T, ms: number]> {
  const start = performance.now();
  const result = await promise;
  return [result, performance.now() - start];
}

/** `0.31 ms`, `12 ms` or `1.9 s`. */
export function ms(time: number): string {
  if (time >= 1000) return `${(time / 1000).toFixed(1)} s`;
  return `${time < 10 ? time.toFixed(2) : Math.round(time)} ms`;
}

/** The middle of times in ascending order. */
export function p50(times: readonly number[]): string {
  return ms(times[Math.floor(times.length / 2)]!);
}

/** How fast `bytes` went there and back, in times of milliseconds. */
export function rates(bytes: number, up: number, down: number): string {
  return [up, down].map((time) => Math.round(bytes / 1000 / time)).join(" / ") + " MB/s";
}

/** Demands that what came through is what went in. */
export function same(expected: string, found: string, what: string): void {
  if (found !== expected) throw new DemoError(`${what} has the SHA-256 ${found} and not ${expected}`);
}
