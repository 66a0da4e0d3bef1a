/**
 * Names with stars: `gw*` stands for all that begin with gw.
 *
 * @module
 */

import { MAX_SELECTOR } from "../limits.ts";

/** What a name may be matched with: stars for anything, question marks for one character, all else as it is. */
export const SELECTOR_PATTERN = "^[A-Za-z0-9._*?-]+$";

/**
 * A test for names.
 *
 * @throws {SyntaxError} with what would do.
 */
export function selector(text: string): (name: string) => boolean {
  if (text.length > MAX_SELECTOR || !new RegExp(SELECTOR_PATTERN).test(text)) {
    throw new SyntaxError(`"${text.slice(0, 60)}" selects nothing; write a name, with * for any part of it, as in gw*`);
  }
  if (!isPattern(text)) return (name) => name === text;
  return (name) => matches(name, text);
}

/** Whether a text may stand for more than one name. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

/** Matches without going back further than to the last star: many stars cost no more than their number. */
function matches(name: string, pattern: string): boolean {
  let [at, on] = [0, 0];
  let [star, from] = [-1, 0];
  while (at < name.length) {
    const sign = pattern[on];
    if (sign === "*") {
      star = on++;
      from = at;
    } else if (sign !== undefined && (sign === "?" || sign === name[at])) {
      at++;
      on++;
    } else if (star >= 0) {
      on = star + 1;
      at = ++from;
    } else return false;
  }
  while (pattern[on] === "*") on++;
  return on === pattern.length;
}
