/**
 * The statements of a TOML text with their places, for messages and for edits that leave the rest of a file alone. The
 * parser says what a file means, and has accepted it before; this says where everything stands.
 *
 * @module
 */

import { parse } from "smol-toml";

/** A place in a text, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Keys and array indexes from the top of a document. */
export type KeyPath = readonly (string | number)[];

/** A table header, or a key with its value; also one within an inline table. */
export interface TomlStatement {
  /** Whether it is `[table]`, `[[list]]`, a line `key = value`, or a key within an inline table. */
  readonly kind: "table" | "list" | "value" | "inline";
  /** From the top of the document, with the indexes of lists of tables. */
  readonly path: KeyPath;
  /** Offsets of the statement, without the blanks and the comment around it. */
  readonly start: number;
  /** See {@linkcode TomlStatement.start}. */
  readonly end: number;
  /** Offset of the value; for a header its end. */
  readonly valueStart: number;
  /** Offsets of the first part of its key. */
  readonly firstKey: readonly [start: number, end: number];
}

const BLANK = /[ \t]*/y;
const SPACE = /(?:[ \t\r\n]|#[^\n]*)*/y;
const KEY_PART = /[\w-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'/y;
/** What ends nowhere but at its own closing mark; longest first. A text of three quotes may end with two more. */
const STRING = /"""(?:\\[^]|[^\\])*?"""(?:"{0,2})|'''[^]*?'''(?:'{0,2})|"(?:\\.|[^"\\\n])*"|'[^'\n]*'/y;
const BARE = /[^,\]}#\r\n]*[^,\]}#\s]/y;

/** Where a text begins: some editors put a byte order mark in front of it, which is no part of it. */
export function textStart(source: string): number {
  return source.startsWith("\uFEFF") ? 1 : 0;
}

/** The statements of a valid TOML text, in their order. */
export function scanToml(source: string): TomlStatement[] {
  return new Scanner(source).run();
}

/**
 * Finds the statement at `path`, or the nearest one around it.
 *
 * @returns its place, or `undefined` if there is none.
 */
export function findPlace(source: string, path: KeyPath): Place | undefined {
  const statements = new Map<string, Pick<TomlStatement, "start">>();
  const scanner = new Scanner(source, (path, start) => statements.set(JSON.stringify(path), { start }));
  for (const statement of scanner.run()) {
    for (let length = Math.min(statement.path.length, path.length); length > 0; length--) {
      const key = JSON.stringify(statement.path.slice(0, length));
      if (statements.has(key)) break;
      statements.set(key, statement); // `[a.b]` and `a.b = 1` are the first that is known of `a`, too
    }
  }
  for (let length = path.length; length > 0; length--) {
    const found = statements.get(JSON.stringify(path.slice(0, length)));
    if (found) return placeAt(source, found.start);
  }
  return undefined;
}

/** The line and column of an offset. */
export function placeAt(source: string, offset: number): Place {
  const before = source.slice(textStart(source), offset).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/** Writes a text as a TOML string on one line. */
export function tomlString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll("\x7f", "\\u007f");
}

/** Writes a name as a TOML key, in quotes if it needs them. */
export function tomlKey(name: string): string {
  return /^[\w-]+$/.test(name) ? name : tomlString(name);
}

/** A table that a header named; of a list of tables, the last one. */
interface Node {
  readonly below: Map<string, Node>;
  /** Its index, if it is in a list. */
  last: number | undefined;
}

class Scanner {
  readonly #source: string;
  readonly #statements: TomlStatement[] = [];
  readonly #top: Node = { below: new Map(), last: undefined };
  /** Is told where each element of a list begins, but for those of lists in lists. */
  readonly #onItem: ((path: KeyPath, start: number) => void) | undefined;
  #at: number;

  constructor(source: string, onItem?: (path: KeyPath, start: number) => void) {
    this.#source = source;
    this.#onItem = onItem;
    this.#at = textStart(source);
  }

  run(): TomlStatement[] {
    let table: KeyPath = [];
    for (;;) {
      this.#skip(SPACE);
      if (this.#at >= this.#source.length) return this.#statements;
      const before = this.#at;
      if (this.#source[this.#at] === "[") table = this.#header();
      else this.#keyAndValue(table, "value");
      if (this.#at === before) return this.#statements; // no valid text gets here
    }
  }

  #header(): KeyPath {
    const start = this.#at;
    const list = this.#source.startsWith("[[", start);
    this.#at += list ? 2 : 1;
    const { keys, firstKey } = this.#key();
    this.#at += list ? 2 : 1;
    const path = this.#resolve(keys, list);
    this.#statements.push({
      kind: list ? "list" : "table",
      path,
      start,
      end: this.#at,
      valueStart: this.#at,
      firstKey,
    });
    return path;
  }

  /** Fills in which element of a list of tables a header is about: the last one, or with `[[…]]` a new one. */
  #resolve(keys: readonly string[], list: boolean): KeyPath {
    const path: (string | number)[] = [];
    let node = this.#top;
    keys.forEach((key, depth) => {
      path.push(key);
      const next: Node = node.below.get(key) ?? { below: new Map(), last: undefined };
      node.below.set(key, next);
      if (list && depth === keys.length - 1) {
        next.last = (next.last ?? -1) + 1;
        next.below.clear(); // what was within the one before is complete
      }
      if (next.last !== undefined) path.push(next.last);
      node = next;
    });
    return path;
  }

  #keyAndValue(table: KeyPath, kind: "value" | "inline"): void {
    const start = this.#at;
    const { keys, firstKey } = this.#key();
    this.#at++; // the equals sign
    this.#skip(BLANK);
    const valueStart = this.#at;
    const path = [...table, ...keys];
    const index = this.#statements.push({ kind, path, start, end: start, valueStart, firstKey }) - 1;
    this.#value(path);
    this.#statements[index] = { kind, path, start, end: this.#at, valueStart, firstKey };
  }

  #key(): { keys: string[]; firstKey: [number, number] } {
    const keys: string[] = [];
    let firstKey: [number, number] | undefined;
    for (;;) {
      this.#skip(BLANK);
      const start = this.#at;
      const part = this.#skip(KEY_PART);
      firstKey ??= [start, this.#at];
      keys.push(/^["']/.test(part) ? Object.keys(parse(`${part}=0`))[0] ?? "" : part);
      this.#skip(BLANK);
      if (this.#source[this.#at] !== ".") return { keys, firstKey };
      this.#at++;
    }
  }

  /** Passes over a value; `path` is where it stands, or `undefined` within a list. */
  #value(path: KeyPath | undefined): void {
    const open = this.#source[this.#at];
    if (open !== "[" && open !== "{") {
      if (this.#skip(STRING) === "") this.#skip(BARE);
      return;
    }
    const close = open === "[" ? "]" : "}";
    this.#at++;
    for (let n = 0;;) {
      this.#skip(SPACE);
      const char = this.#source[this.#at];
      if (char === undefined) return;
      const before = this.#at;
      if (char === close || char === ",") this.#at++;
      else if (open === "[") {
        if (path) this.#onItem?.([...path, n++], before);
        this.#value(undefined);
      } else if (path) this.#keyAndValue(path, "inline");
      else this.#pair();
      if (char === close || this.#at === before) return;
    }
  }

  /** A key of an inline table within a list, which is not told apart. */
  #pair(): void {
    this.#key();
    this.#at++;
    this.#skip(BLANK);
    this.#value(undefined);
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source)?.[0] ?? "";
    this.#at += text.length;
    return text;
  }
}
