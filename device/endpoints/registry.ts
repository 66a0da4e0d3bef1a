/**
 * The kinds of endpoints that there are.
 *
 * @module
 */

import type { Endpoint, EndpointKind } from "./endpoint.ts";
import { tcpKind } from "./tcp.ts";
import { unixKind } from "./unix.ts";

/** All kinds but TCP, which goes without a word in front. A new one is a line here. */
const KINDS: readonly EndpointKind[] = [
  unixKind,
];

/** The kind of an endpoint, by what it begins with. @throws {SyntaxError} for one that is written in another way. */
export function kindOf(text: string): EndpointKind {
  const word = /^([a-z]+):(?!\d*$)/i.exec(text)?.[1];
  if (word === undefined) {
    if (/^(?:[/@~]|\.{1,2}\/)|\.sock$/.test(text)) {
      throw new SyntaxError(`"${text}" looks like a Unix socket; write unix:PATH, as in ${unixKind.example}`);
    }
    return tcpKind;
  }
  return KINDS.find(({ name }) => name === word) ?? tcpKind;
}

/** One of each kind as people write it, for messages. */
export const EXAMPLES = KINDS.map(({ example }) => example).join(", ");

/**
 * Parses an endpoint with its options: `HOST:PORT`, `unix:PATH` and the others.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function parseEndpoint(text: string): Endpoint {
  const kind = kindOf(text);
  return kind.parse(kind === tcpKind ? text : text.slice(kind.name.length + 1));
}

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

/** Whether `part` of a list still belongs to the endpoint before it, which is of `kind`. */
export function isOption(part: string, kind: EndpointKind): boolean {
  if (kind === tcpKind) return false;
  return !/[=:]/.test(part) || kind.keys.some((key) => part.startsWith(`${key}=`));
}
