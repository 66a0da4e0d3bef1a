/**
 * The command lines of scripts.
 *
 * @module
 */

import { say } from "../tests/rig/say.ts";

/** Whether somebody only asks how a script is called. It is told then, and the exit code is to be 0. */
export function helped(args: readonly string[], usage: string): boolean {
  const isAsked = args.some((arg) => arg === "--help" || arg === "-h");
  if (isAsked) say(`usage: ${usage}`);
  return isAsked;
}

/** Reads a command line with `read`, or says what is wrong with it. @returns `undefined` then; the exit code is to be 2. */
export function understood<T>(read: (args: string[]) => T, args: readonly string[], usage: string): T | undefined {
  try {
    return read(args.filter((arg, at) => at > 0 || arg !== "--"));
  } catch (error) {
    say(`${error instanceof Error ? error.message : error}\nusage: ${usage}`);
    return undefined;
  }
}

/** A whole number of an option. @throws {SyntaxError} if it is none, or 2^32 and more. */
export function wholeNumber(name: string, text: string): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(number < 2 ** 32)) throw new SyntaxError(`--${name} takes a whole number below 2^32, not "${text}"`);
  return number;
}

/** A number of an option. @throws {SyntaxError} if it is not above 0, or 2^31 and more. */
export function positive(name: string, text: string): number {
  const number = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || number <= 0 || number >= 2 ** 31) {
    throw new SyntaxError(`--${name} takes a number above 0, not "${text}"`);
  }
  return number;
}

/** The seed that was given, or any. */
export function seedOf(text: string | undefined): number {
  return text === undefined ? Math.floor(Math.random() * 2 ** 32) : wholeNumber("seed", text);
}
