/**
 * Where a key stands in a TOML text, for error messages. The parser says what a file means; this says where.
 *
 * @module
 */

/** A place in a text, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Keys and array indexes from the top of a document. */
export type KeyPath = readonly (string | number)[];

const HEADER = /^\[\[?\s*([\w-]+(?:\s*\.\s*[\w-]+)*)\s*\]\]?/;
const KEY = /^(?:([\w-]+)|"([^"\n]*)"|'([^'\n]*)')\s*=/;
/** What ends nowhere but at its own closing mark; longest first. */
const STRING = /^(?:"""[^]*?(?<!\\)"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'[^'\n]*')/;

/**
 * Finds the key at `path` in `source`, a valid TOML text; for a path that goes into an inline value, the key that has it.
 * `undefined` if there is no such key.
 */
export function locateKey(source: string, path: KeyPath): Place | undefined {
  for (let length = path.length; length > 0; length--) {
    const wanted = path.slice(0, length).join(" ");
    for (const [found, at] of keysOf(source)) {
      if (found === wanted) return placeOf(source, at);
    }
  }
  return undefined;
}

/** Every table header and key of a text, as a joined path, with its offset. */
function* keysOf(source: string): Generator<[path: string, at: number]> {
  const counts = new Map<string, number>();
  let table = "";
  let depth = 0; // of brackets within a value
  let fresh = true; // at the start of a statement
  for (let at = 0; at < source.length;) {
    const rest = source.slice(at);
    const char = source[at]!;
    if (fresh && depth === 0) {
      const header = HEADER.exec(rest);
      const key = KEY.exec(rest);
      if (header) {
        table = header[1]!.split(/\s*\.\s*/).join(" ");
        if (rest.startsWith("[[")) {
          const count = counts.get(table) ?? 0;
          counts.set(table, count + 1);
          table += ` ${count}`;
        }
        yield [table, at];
        at += header[0].length;
        fresh = false;
        continue;
      }
      if (key) {
        const name = key[1] ?? key[2] ?? key[3] ?? "";
        yield [table ? `${table} ${name}` : name, at];
        at += key[0].length;
        fresh = false;
        continue;
      }
    }
    const string = STRING.exec(rest);
    if (string) at += string[0].length;
    else if (char === "#") at += rest.search(/\n|$/);
    else {
      if (char === "[" || char === "{") depth++;
      else if (char === "]" || char === "}") depth--;
      else if (char === "\n") fresh = true;
      at++;
    }
  }
}

function placeOf(source: string, at: number): Place {
  const before = source.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
