/**
 * One table of options serves the command line, the environment and the file, so the words and the values are the same.
 *
 * An option is taken from the command line, else from the environment (`SALLYPORT_` and its name), else from the file. A
 * variable that is set to nothing counts as not set: that is how others hand on what they were not given.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { ConfigError } from "./toml/config_error.ts";
import { wordsOf, writeTime } from "./values.ts";
import type { TomlTable } from "./toml/table.ts";

/** An option that stands once, or any number of times. */
export interface OptionSpec<T> {
  /** The name of its value in help, such as `ADDRESS`. */
  readonly value: string;
  /** One line of help. */
  readonly help: string;
  /** Reads one value; throws a `SyntaxError` that says what would do. */
  readonly parse: (text: string) => T;
  /** Writes one as it would be read, for whoever is told what is in force; as a text by default, and a TIME as a time. */
  write?(value: T): string;
  /** Whether it may stand any number of times (in a file: a list; in the environment: separated by commas). */
  readonly many?: boolean;
  /** Splits what stands in one place into several values, where a comma alone does not say where one ends. */
  readonly split?: (text: string) => string[];
  /** Whether it has no value: it is given or not (in a file: `true` or `false`). Its `parse` is not used. */
  readonly flag?: boolean;
  /** Whether an empty text is a value of it. */
  readonly mayBeEmpty?: boolean;
  /** Whether the file may have sections of that name instead, which somebody else reads. */
  readonly sections?: boolean;
  /** The default, as text for help. */
  readonly preset?: string;
}

/** Options by name. */
export type OptionTable = Record<string, OptionSpec<unknown>>;

/** What was given, by name; for an option that may stand many times, a list. */
export type OptionValues<T extends OptionTable> = {
  [K in keyof T]?: T[K]["many"] extends true ? ReturnType<T[K]["parse"]>[] : ReturnType<T[K]["parse"]>;
};

/** The options of a command that the environment counts for. */
const inEnvironment = new WeakMap<Command, OptionTable>();

/** The environment variable of an option. */
export function envName(name: string): string {
  return `SALLYPORT_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** A variable of the environment that is set, and not to nothing. */
export function variable(name: string): string | undefined {
  const text = Deno.env.get(name);
  return text === undefined || text.trim() === "" ? undefined : text;
}

/** Adds the options of a table to a command. `env`: whether the environment counts too. */
export function addOptions(command: Command, table: OptionTable, env: boolean): void {
  if (env) inEnvironment.set(command, table);
  for (const [name, spec] of Object.entries(table)) {
    const preset = spec.preset === undefined ? "" : ` (default: ${spec.preset})`;
    if (spec.flag) {
      command.addOption(new Option(`--${name}`, spec.help));
      continue;
    }
    const option = new Option(`--${name} <${spec.value}>`, spec.help + preset);
    option.argParser((text: string, before: unknown) => {
      if (isOptionOf(command, text)) throw new ConfigError(`--${name} lacks its value: ${text} stands in its place`);
      if (spec.many) return [...(before as unknown[] | undefined ?? []), ...parseMany(`--${name}`, spec, text)];
      return parseOne(`--${name}`, spec, once(`--${name}`, text, before));
    });
    const words = wordsOf(spec.parse);
    if (words.length > 0) option.argChoices = [...words]; // for completion
    command.addOption(option);
  }
}

/** Whether a text is an option of a command, or of one above it: then it is no value. */
function isOptionOf(command: Command, text: string): boolean {
  for (let each: Command | null = command; each; each = each.parent) {
    if (each.options.some(({ long }) => long === text)) return true;
  }
  return false;
}

/** Refuses a second value of an option that has one: neither of the two can be meant to count for nothing. */
export function once(option: string, text: string, before: unknown): string {
  if (before === undefined) return text;
  throw new ConfigError(`${option} is given twice; give it once`);
}

/** What parses an option's text from `place`, which stands in messages. */
function parseOne(place: string, spec: OptionSpec<unknown>, text: string): unknown {
  if (text === "" && !spec.mayBeEmpty) throw new ConfigError(`${place} is empty; give it a value, or leave it out`);
  try {
    return spec.parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? new ConfigError(`${place}: ${error.message}`, { cause: error }) : error;
  }
}

function parseMany(place: string, spec: OptionSpec<unknown>, text: string): unknown[] {
  return (spec.split ?? splitAtCommas)(text).map((part) => {
    if (/[^\s,]\s+[^\s,]/.test(part.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'))) { // what is quoted may have some
      throw new ConfigError(`${place}: "${part.trim()}" has a blank; write a comma between several`);
    }
    return parseOne(place, spec, part.trim());
  });
}

function splitAtCommas(text: string): string[] {
  return text.split(",");
}

/** Where values stand that are not on the command line, by the values and then by name: what to say of a mistake there. */
const places = new WeakMap<object, Map<string, (what: Complaint) => ConfigError>>();

/** What is wrong with an option, which is called by its name where it was given; `other`: what others are called there. */
type Complaint = (option: string, other: (name: string) => string) => string;

/** What the command line and the environment gave; then, for what they left open, the file. */
export function optionValues<T extends OptionTable>(
  table: T,
  command: Command,
  file: TomlTable | undefined,
): OptionValues<T> {
  const values: Record<string, unknown> = {};
  const elsewhere = new Map<string, (what: Complaint) => ConfigError>();
  for (const [name, spec] of Object.entries(table)) {
    const inFile = fromFile(file, name, spec); // read and checked, also when something else goes first
    const onLine = onCommandLine(command, name);
    const inEnvironment = onLine === undefined ? fromEnvironment(command, name) : undefined;
    const value = onLine ?? inEnvironment ?? inFile;
    if (value === undefined) continue;
    values[name] = value;
    if (inEnvironment !== undefined) elsewhere.set(name, (what) => new ConfigError(what(envName(name), envName)));
    else if (onLine === undefined) {
      elsewhere.set(name, (what) => file!.error(name, what(`"${name}"`, (other) => other)));
    }
  }
  places.set(values, elsewhere);
  return values as OptionValues<T>;
}

/**
 * A mistake with an option that shows beside others only, told where it was given: with the place in the file, or as
 * `--name`, also if it was not given.
 *
 * @param values What {@linkcode optionValues} returned.
 */
export function optionMistake<T extends object>(values: T, name: keyof T & string, what: Complaint): ConfigError {
  return places.get(values)?.get(name)?.(what) ??
    new ConfigError(what(`--${name}`, (other) => `--${other}`));
}

/** What a file, or a section of one, gives for the options of a table. */
export function fileValues<T extends OptionTable>(table: T, file: TomlTable): OptionValues<T> {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(table)) {
    const value = fromFile(file, name, spec);
    if (value !== undefined) values[name] = value;
  }
  return values as OptionValues<T>;
}

/** What the command line of a command gave for an option. */
export function onCommandLine(command: Command, name: string): unknown {
  return command.getOptionValue(new Option(`--${name} <x>`).attributeName());
}

/** What the environment gives for an option of a command, if it counts for that one. */
export function fromEnvironment(command: Command, name: string): unknown {
  const spec = inEnvironment.get(command)?.[name];
  const text = spec && variable(envName(name));
  if (!spec || text === undefined) return undefined;
  if (spec.flag) return flagInEnvironment(envName(name), text.trim());
  return spec.many ? parseMany(envName(name), spec, text) : parseOne(envName(name), spec, text);
}

/** A flag in the environment says which: what merely stands there must not turn anything on. */
function flagInEnvironment(variable: string, text: string): boolean {
  if (["true", "1", "false", "0"].includes(text)) return text === "true" || text === "1";
  throw new ConfigError(`${variable} is "${text}"; write true or false`);
}

function fromFile(file: TomlTable | undefined, name: string, spec: OptionSpec<unknown>): unknown {
  if (!file || (spec.sections && file.hasTables(name))) return undefined;
  if (spec.flag) return file.flag(name);
  const parse = (text: string) => {
    if (text === "" && !spec.mayBeEmpty) throw new SyntaxError("it is empty; give it a value, or take the key out");
    return spec.parse(text);
  };
  return spec.many ? file.list(name, parse) : file.one(name, parse);
}

/** Demands an option that has no default. */
export function required<T>(value: T | undefined, name: string, example: string): T {
  if (value === undefined) throw new ConfigError(`--${name} is missing; for example: ${example}`);
  return value;
}

/** The options that have a default, with what is in force: a line each, for `--check`. */
export function describeOptions<T extends OptionTable>(
  table: T,
  values: OptionValues<T>,
  without: readonly (keyof T)[] = [],
): string[] {
  const named = Object.entries(table).filter(([name, spec]) => spec.preset !== undefined && !without.includes(name));
  return named.map(([name, spec]) => `${name} ${optionText(spec, values[name])}`);
}

/** What an option says, as it would be written; `value` is what was given, if it was. */
export function optionText(spec: OptionSpec<unknown>, value: unknown): string {
  if (value === undefined) return spec.preset ?? (spec.flag ? "false" : "none");
  const write = (one: unknown) => {
    if (spec.write) return spec.write(one);
    return spec.value === "TIME" ? writeTime(Number(one)) : String(one);
  };
  return Array.isArray(value) ? value.map(write).join(",") || "none" : write(value);
}

/** How an option is another than before: its name, and what it says, unless that must not be told. */
export function optionChange<T extends OptionTable>(
  table: T,
  name: keyof T & string,
  before: OptionValues<T>,
  after: OptionValues<T>,
): string {
  return changeText(name, optionText(table[name]!, before[name]), optionText(table[name]!, after[name]));
}

/** The same of anything that has a name. */
export function changeText(name: string, before: string, after: string): string {
  return before === after ? name : `${name} ${before} -> ${after}`;
}
