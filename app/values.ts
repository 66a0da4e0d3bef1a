/**
 * Values as users write them, on the command line, in the environment and in files alike. Every parser throws a
 * `SyntaxError` that says what was wrong and what would do.
 *
 * @module
 */

import { parseDuration, parsePositiveDuration, writeDuration } from "../base/duration.ts";

export { parseDuration, parsePositiveDuration };

/** As {@linkcode parsePositiveDuration}, or `never`. @returns milliseconds, -1 for never. */
export function parseDurationOrNever(text: string): number {
  return text === "never" ? -1 : parsePositiveDuration(text);
}

/** The inverse of {@linkcode parseDurationOrNever}. */
export function writeTime(ms: number): string {
  return ms === -1 ? "never" : writeDuration(ms);
}

/** A parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) {
      throw new SyntaxError(`"${text}" is not a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Units of bytes. */
const SIZES: Readonly<Record<string, number>> = { kB: 1e3, MB: 1e6, GB: 1e9 };

/** Parses a number of bytes, as in `500kB`, `20MB` or `1.5GB`. */
export function parseBytes(text: string): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(kB|MB|GB)$/.exec(text) ?? [];
  const bytes = Math.round(Number(number) * (SIZES[unit ?? ""] ?? NaN));
  if (bytes > 0) return bytes;
  throw new SyntaxError(`"${text}" is not a number of bytes; write one as in 500kB, 20MB or 1.5GB`);
}

/** The inverse of {@linkcode parseBytes}, in the largest unit of which it is one at least. */
export function writeBytes(bytes: number): string {
  const [unit, size] = Object.entries(SIZES).findLast(([, size]) => bytes >= size && bytes * 1_000 % size === 0) ??
    ["kB", 1e3];
  return `${bytes / size}${unit}`;
}

/** The path of a file or a folder. */
export function parsePath(text: string): string {
  if (text === "") throw new SyntaxError("it is empty; name a file, or leave it out");
  return text;
}

/** For options without a value. */
export const FLAG = { value: "", parse: (text: string): boolean => text === "true", flag: true } as const;

/** A parser that takes these words alone. */
export interface WordParser<T extends string> {
  (text: string): T;
  /** What it takes. */
  readonly words: readonly T[];
}

/** A parser of one word out of `words`. */
export function oneOf<const T extends string>(...words: T[]): WordParser<T> {
  const parse = (text: string) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new SyntaxError(`"${text}" is none of ${words.join(", ")}`);
    return word;
  };
  return Object.assign(parse, { words });
}

/** What a parser takes, if that is a few words. */
export function wordsOf(parse: unknown): readonly string[] {
  return typeof parse === "function" && "words" in parse ? (parse as WordParser<string>).words : [];
}

/**
 * Parses a point in time, a date (its beginning, UTC) or a date with a time and its zone, as TOML and RFC 3339 have them.
 *
 * @returns milliseconds since 1970.
 */
export function parseTime(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/i.exec(text);
  const [, date, time, zone] = match ?? [];
  if (time !== undefined && zone === undefined) {
    throw new SyntaxError(`"${text}" has no zone; write ${date}T${time}Z for UTC, or +02:00 in place of Z`);
  }
  const at = date === undefined ? NaN : Date.parse(time === undefined ? date : `${date}T${time}${zone!.toUpperCase()}`);
  // Some runtimes take 30 February for 2 March.
  if (Number.isNaN(at) || !new Date(`${date}T00:00Z`).toISOString().startsWith(date!)) {
    throw new SyntaxError(`"${text}" is not a date; write one as in 2027-01-31 or 2027-01-31T12:00:00Z`);
  }
  return at;
}

/** Parses a point in time, or a duration from `now` on, which says its unit, as in `90d`. @returns milliseconds since 1970. */
export function parseTimeOrSpan(text: string, now: number): number {
  const days = /^(\d{1,5})d$/.exec(text);
  if (days && Number(days[1]) > 0) return now + Number(days[1]) * 86_400_000;
  if (Number(text) > 0) { // seconds elsewhere, and hardly meant here
    throw new SyntaxError(
      `"${text}" has no unit; write ${text}d for days, ${text}h for hours, or a date as in 2027-01-31`,
    );
  }
  try {
    return /^\d{4}-/.test(text) ? parseTime(text) : now + parsePositiveDuration(text);
  } catch (error) {
    if (!(error instanceof SyntaxError) || /^\d{4}-/.test(text)) throw error;
    throw new SyntaxError(`"${text}" is neither a date, as in 2027-01-31, nor a span, as in 90d`, { cause: error });
  }
}

/** Parses a point in time, or a duration back from `now`, as in `12h` or `7d`. @returns milliseconds since 1970. */
export function parseTimeOrAgo(text: string, now: number): number {
  return /^\d{4}-/.test(text) ? parseTime(text) : now - parseTimeOrSpan(text, 0);
}
