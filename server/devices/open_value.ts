/**
 * Where a value of several lines ends: a text or a list of which a line looks like the beginning of another device.
 *
 * @module
 */

import type { Steps } from "../../base/slices.ts";
import type { DeviceSection } from "./sections.ts";

/** What a line of TOML is made of, as far as it can open or close something; a text of one line ends with its line. */
const TOKEN = /"""|'''|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|#[^\n]*|[[{]|[\]}]|\n|[^"'#[\]{}\n]+/y;

/**
 * The first section from number `first` on behind which no value is open that began since; `undefined` if it stays open.
 * The first one has to begin with a statement.
 */
export function* closingSection(
  source: string,
  sections: readonly DeviceSection[],
  first: number,
): Steps<number | undefined> {
  let depth = 0;
  let at = sections[first]!.start;
  for (let n = first; n < sections.length;) {
    const { end } = sections[n]!;
    if (at >= end) {
      if (at === end && depth === 0) return n;
      n++;
      continue;
    }
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(source)?.[0] ?? source.slice(at, at + 1);
    at += token.length;
    if (token === '"""' || token === "'''") at = endOfText(source, token, at) ?? Infinity;
    else if (token === "[" || token === "{") depth++;
    else if (token === "]" || token === "}") depth = Math.max(0, depth - 1);
    else if (token === "\n") yield;
  }
  return undefined;
}

/** The offset behind a text that began with `quotes`, which may end with two more of them. */
function endOfText(source: string, quotes: string, from: number): number | undefined {
  const quote = quotes.charAt(0);
  for (let at = source.indexOf(quotes, from); at >= 0; at = source.indexOf(quotes, at + 1)) {
    if (quote === '"' && isEscaped(source, at, from)) continue;
    let end = at + quotes.length;
    for (let more = 0; more < 2 && source[end] === quote; more++) end++;
    return end;
  }
  return undefined;
}

function isEscaped(source: string, at: number, from: number): boolean {
  let backslashes = 0;
  while (at - backslashes > from && source[at - backslashes - 1] === "\\") backslashes++;
  return backslashes % 2 === 1;
}
