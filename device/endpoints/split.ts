/**
 * Lists whose parts may be lists themselves.
 *
 * @module
 */

/** Splits at the commas that do not stand in brackets or, within those, in quotes. */
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
    else if (!quoted && char === "[") depth++;
    else if (!quoted && char === "]") depth = Math.max(0, depth - 1);
  }
  return parts;
}
