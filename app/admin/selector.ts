/**
 * Names with stars: `gw*` stands for all that begin with gw, and `tag=site:berlin` for all that have that tag.
 *
 * @module
 */

import { MAX_SELECTOR, MAX_TAG } from "../limits.ts";

/** What a name may be matched with: stars for anything, question marks for one character, all else as it is. */
export const SELECTOR_PATTERN = "^([A-Za-z0-9._*?-]+|tag=[A-Za-z0-9._:*?-]+)$";

/** What a text begins with that selects by tags. */
const TAG = "tag=";

/** What a tag is like. */
export const TAG_PATTERN = "^[A-Za-z0-9._][A-Za-z0-9._-]*(:[A-Za-z0-9._-]+)?$";

/** Parses a tag: a word, or two with a colon between, as in `site:berlin`. @throws {SyntaxError} with what would do. */
export function parseTag(text: string): string {
  if (text.length <= MAX_TAG && new RegExp(TAG_PATTERN).test(text)) return text;
  throw new SyntaxError(
    `"${text.slice(0, 60)}" is no tag; write a word, or two as in site:berlin, of ${MAX_TAG} characters at most`,
  );
}

/**
 * A test for the name of a device, and its tags.
 *
 * @throws {SyntaxError} with what would do.
 */
export function selector(text: string): (name: string, tags?: readonly string[]) => boolean {
  if (text.length > MAX_SELECTOR || !new RegExp(SELECTOR_PATTERN).test(text)) {
    throw new SyntaxError(
      `"${text.slice(0, 60)}" selects nothing; write a name, with * for any part of it, as in gw*, or tag=TAG`,
    );
  }
  if (text.startsWith(TAG)) {
    const pattern = text.slice(TAG.length);
    return (_name, tags = []) => tags.some((tag) => matches(tag, pattern));
  }
  if (!isPattern(text)) return (name) => name === text;
  return (name) => matches(name, text);
}

/** Whether a text may stand for more than one name. */
export function isPattern(text: string): boolean {
  return text.startsWith(TAG) || /[*?]/.test(text);
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
