/**
 * Lists whose parts may be lists themselves.
 *
 * @module
 */

/** What a list stands behind; any other bracket is a character like others, as in a path. */
const BEFORE_LIST = /(?:^|(?:^|=)\s*exec:)\s*$/;

/** Splits at the commas that do not stand in a list or, within that, in quotes. */
export function splitAtCommas(text: string): string[] {
  const parts: string[] = [""];
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "," && depth === 0) {
      parts.push("");
      continue;
    }
    parts[parts.length - 1] += char;
    if (quoted && char === "\\") parts[parts.length - 1] += text[++at] ?? "";
    else if (depth > 0 && char === '"') quoted = !quoted;
    else if (!quoted && char === "[" && (depth > 0 || BEFORE_LIST.test(parts.at(-1)!.slice(0, -1)))) depth++;
    else if (!quoted && char === "]") depth = Math.max(0, depth - 1);
  }
  return parts;
}
