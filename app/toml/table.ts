/**
 * A table of a TOML file, read key by key: what is not read in the end is unknown, and said to be so.
 *
 * @module
 */

import { parse, TomlDate, TomlError } from "smol-toml";
import { MAX_CONFIG_SIZE, MAX_TOML_DEPTH, UTF16_LOOKED_AT } from "../limits.ts";
import { whyUnreadable } from "../../base/errors.ts";
import { readNow } from "../../net/kernel/native_file.ts";
import { ConfigError, lineAt } from "./config_error.ts";
import { foreignConfig } from "../foreign_config.ts";
import { findPlace, type KeyPath, placeAt, textStart, tomlKey } from "./scan.ts";
import { closest } from "../../base/closest.ts";

/** How a text in UTF-16 looks that was read as UTF-8: its byte order mark is none there, and every other byte is zero. */
const UTF16 = /^\uFFFD{2}|[^\0]\0[^\0]\0|\0[^\0]\0[^\0]/;

/** One table, with its place in the file. */
export class TomlTable {
  readonly #file: string;
  readonly #source: string;
  readonly #path: KeyPath;
  readonly #entries: Record<string, unknown>;
  readonly #known = new Set<string>();
  readonly #tables: TomlTable[] = [];

  private constructor(file: string, source: string, path: KeyPath, entries: Record<string, unknown>) {
    this.#file = file;
    this.#source = source;
    this.#path = path;
    this.#entries = entries;
  }

  /**
   * Reads a file.
   *
   * @throws {ConfigError} if it cannot be read, is no TOML, or is a file of another program.
   */
  static load(file: string): TomlTable {
    let source: string;
    try {
      source = readNow(file, MAX_CONFIG_SIZE);
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      throw new ConfigError(`Cannot read ${file}: ${whyUnreadable(error)}`, { cause: error });
    }
    source = source.slice(textStart(source));
    const foreign = foreignConfig(source);
    if (foreign) throw ConfigError.at(file, source, placeAt(source, foreign.offset), foreign.message);
    return TomlTable.parse(file, source);
  }

  /** Reads a text; `file` is for messages. */
  static parse(file: string, text: string): TomlTable {
    const source = text.slice(textStart(text)); // so that columns are right
    demandUtf8(file, source);
    try {
      const entries = parse(source);
      if (isTooDeep(entries)) {
        throw new ConfigError(`${file}: more than ${MAX_TOML_DEPTH} tables stand within each other`);
      }
      return new TomlTable(file, source, [], entries);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const what = error.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "");
      throw ConfigError.at(
        file,
        source,
        { line: error.line, column: error.column },
        `not TOML: ${what}; ${tomlHint(what, lineAt(source, error.line))}`,
        {
          cause: error,
        },
      );
    }
  }

  /** The value of `name`, if there is one. */
  one<T>(name: string, parse: (text: string) => T): T | undefined {
    const value = this.#take(name);
    return value === undefined ? undefined : this.#scalar([name], value, parse);
  }

  /** The values of `name`, a list or a single one, if there are any. */
  list<T>(name: string, parse: (text: string) => T): T[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return [this.#scalar([name], value, parse)];
    return value.map((item: unknown, at) => this.#scalar([name, at], item, parse));
  }

  /** The argument list `name`, texts and nothing else, if there is one. */
  texts(name: string): string[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw this.error(
      name,
      `"${name}" has to be a list of texts, as no shell splits it: ${name} = ["PROGRAM", "ARGUMENT"]`,
    );
  }

  /** The value of `name`, true or false, if there is one. */
  flag(name: string): boolean | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.error(name, `"${name}" has to be true or false, without quotes`);
  }

  /**
   * Demands that the file has more than blanks: while a daemon runs, an empty one is taken for one that is just being
   * written, which must not undo all that it was told. @throws {ConfigError} if it has not.
   */
  demandWritten(): void {
    if (this.#source.trim() !== "") return;
    throw new ConfigError(`${this.#file} is empty; if nothing is meant to stand there, write a comment into it`);
  }

  /** The keys that stand in this table. */
  get names(): string[] {
    return Object.keys(this.#entries);
  }

  /** Whether `name` is a table, `[name]` or `name = { … }`. */
  isTable(name: string): boolean {
    return isTable(this.#entries[name]);
  }

  /** The table `name`, written `[name]` or `name = { … }`, if there is one. */
  table(name: string): TomlTable | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (!isTable(value)) {
      const header = [...this.#path, name].map((part) => tomlKey(`${part}`)).join(".");
      throw this.error(name, `"${name}" has to be a table; write [${header}] or ${tomlKey(name)} = { … }`);
    }
    const table = new TomlTable(this.#file, this.#source, [...this.#path, name], value);
    this.#tables.push(table);
    return table;
  }

  /** Whether `name` stands for a list of tables, `[[name]]`. */
  hasTables(name: string): boolean {
    const value = this.#entries[name];
    return isTable(value) || (Array.isArray(value) && value.some(isTable));
  }

  /** Passes over `name`: it is known, and something else goes first. */
  ignore(name: string): void {
    this.#known.add(name);
  }

  /** The tables of `[[name]]`, if there are any. */
  tables(name: string): TomlTable[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every(isTable)) {
      throw this.error(name, `"${name}" has to be a list of tables; write [[${name}]] above each`);
    }
    const tables = value.map((entries, at) =>
      new TomlTable(this.#file, this.#source, [...this.#path, name, at], entries)
    );
    this.#tables.push(...tables);
    return tables;
  }

  /** An error at a key of this table, or at the table itself. */
  error(name: string | undefined, message: string): ConfigError {
    return this.#errorAt(name === undefined ? [] : [name], message);
  }

  /**
   * To be called when everything known has been read.
   *
   * @param elsewhere What to say of keys that are known, and not here.
   * @throws {ConfigError} for a key that nobody asked for.
   */
  rejectUnknown(elsewhere: Readonly<Record<string, string>> = {}): void {
    for (const name of Object.keys(this.#entries)) {
      if (this.#known.has(name)) continue;
      const like = closest(name, this.#known);
      const hint = Object.hasOwn(elsewhere, name)
        ? elsewhere[name]
        : like
        ? `did you mean "${like}"?`
        : `known here: ${[...this.#known].join(", ")}`;
      throw this.error(name, `unknown key "${name}"; ${hint}`);
    }
    for (const table of this.#tables) table.rejectUnknown();
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.#entries[name];
  }

  #scalar<T>(path: KeyPath, value: unknown, parse: (text: string) => T): T {
    const text = value instanceof TomlDate ? value.toISOString() : value;
    if (typeof text !== "string" && typeof text !== "number" && typeof text !== "bigint") {
      throw this.#errorAt(path, `"${path[0]}" has to be a text or a number; write ${tomlKey(`${path[0]}`)} = "…"`);
    }
    try {
      return parse(String(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.#errorAt(path, `"${path[0]}": ${error.message}`);
    }
  }

  #errorAt(path: KeyPath, message: string): ConfigError {
    return ConfigError.at(this.#file, this.#source, findPlace(this.#source, [...this.#path, ...path]), message);
  }
}

/** The line that a table begins with, its end or not. */
const TABLE_LINE = /^\s*(\[\[?)([^\]#=]*)(\]{0,2})\s*(?:#.*)?$/;

/** What was read as UTF-8 and is none has this mark in place of what could not be read. */
const UNREADABLE = "\uFFFD";

/** Demands a text that is UTF-8: another would be taken for something that nobody wrote. */
function demandUtf8(file: string, source: string): void {
  const at = source.indexOf(UNREADABLE);
  if (at < 0 && !source.includes("\0")) return;
  if (UTF16.test(source.slice(0, UTF16_LOOKED_AT))) {
    throw new ConfigError(`${file}: it is written in UTF-16; save it as UTF-8`);
  }
  if (at < 0) return;
  throw ConfigError.at(file, source, placeAt(source, at), "this is not UTF-8; save the file as UTF-8");
}

/** What would do, of a mistake in a line; the library has no code for what it found. */
function tomlHint(what: string, line: string): string {
  if (what.includes("redefine")) return "it stands there already; write it once";
  if (what.includes("end of structure")) return "a list ends with ], and a table within a line with }";
  const [, open, name = "", close] = TABLE_LINE.exec(line) ?? [];
  if (open === undefined) return 'a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"';
  const end = "]".repeat(open.length);
  const shown = /^[\w.-]+$/.test(name.trim()) ? name.trim() : "NAME"; // it may be part of a list, and a secret
  if (close !== end) return `${end} is missing behind the name of the table: ${open}${shown}${end}`;
  return `a table begins with its name, in quotes if there is more in it than letters, digits, - and _: ${open}"NAME"${end}`;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Whether tables stand within each other more deeply than anything here needs: finding places in such a text takes long. */
function isTooDeep(top: object): boolean {
  let level: object[] = [top];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_TOML_DEPTH) return true;
    level = level.flatMap((table) =>
      Object.values(table).filter((value) => typeof value === "object" && value !== null)
    );
  }
  return false;
}
