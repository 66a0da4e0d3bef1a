/**
 * One table of options serves the command line, the environment and the file, so the words and the values are the same.
 *
 * An option is taken from the command line, else from the environment (`SALLYPORT_` and its name), else from the file.
 *
 * @module
 */

import { type Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "./config_error.ts";
import type { TomlTable } from "./toml_table.ts";

/** An option that stands once, or any number of times. */
export interface OptionSpec<T> {
  /** The name of its value in help, such as `ADDRESS`. */
  readonly value: string;
  /** One line of help. */
  readonly help: string;
  /** Reads one value; throws a `SyntaxError` that says what would do. */
  readonly parse: (text: string) => T;
  /** Whether it may stand any number of times (in a file: a list; in the environment: separated by commas). */
  readonly many?: boolean;
  /** Splits what stands in one place into several values, where a comma alone does not say where one ends. */
  readonly split?: (text: string) => string[];
  /** Whether it has no value: it is given or not (in a file: `true` or `false`). Its `parse` is not used. */
  readonly flag?: boolean;
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

/** The environment variable of an option. */
export function envName(name: string): string {
  return `SALLYPORT_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Adds the options of a table to a command. `env`: whether the environment counts too. */
export function addOptions(command: Command, table: OptionTable, env: boolean): void {
  for (const [name, spec] of Object.entries(table)) {
    const preset = spec.preset === undefined ? "" : ` (default: ${spec.preset})`;
    if (spec.flag) {
      command.addOption(new Option(`--${name}`, spec.help));
      continue;
    }
    const option = new Option(`--${name} <${spec.value}>`, spec.help + preset);
    if (env) option.env(envName(name));
    const parse = (text: string) => {
      try {
        return spec.parse(text);
      } catch (error) {
        throw error instanceof SyntaxError ? new InvalidArgumentError(error.message) : error;
      }
    };
    if (spec.many) {
      option.argParser((text: string, before: unknown[] | undefined) => [
        ...(before ?? []),
        ...(spec.split ?? splitAtCommas)(text).map((part) => parse(part.trim())),
      ]);
    } else option.argParser((text: string, before: unknown) => parse(once(text, before)));
    command.addOption(option);
  }
}

/** Refuses a second value of an option that has one: neither of the two can be meant to count for nothing. */
export function once(text: string, before: unknown): string {
  if (before === undefined) return text;
  throw new InvalidArgumentError("It is given twice; give it once.");
}

function splitAtCommas(text: string): string[] {
  return text.split(",");
}

/** What the command line and the environment gave; then, for what they left open, the file. */
export function optionValues<T extends OptionTable>(
  table: T,
  command: Command,
  file: TomlTable | undefined,
): OptionValues<T> {
  const given: Record<string, unknown> = command.opts();
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(table)) {
    const attribute = new Option(`--${name} <x>`).attributeName();
    const inFile = fromFile(file, name, spec); // read and checked, also when something else goes first
    const value = given[attribute] ?? (spec.flag ? flagInEnvironment(name) : undefined) ?? inFile;
    if (value !== undefined) values[name] = value;
  }
  return values as OptionValues<T>;
}

/** A flag in the environment says which: what merely stands there must not turn anything on. */
function flagInEnvironment(name: string): boolean | undefined {
  const text = Deno.env.get(envName(name));
  if (text === undefined || text === "") return undefined;
  if (["true", "1", "false", "0"].includes(text)) return text === "true" || text === "1";
  throw new ConfigError(`${envName(name)} is "${text}"; write true or false`);
}

function fromFile(file: TomlTable | undefined, name: string, spec: OptionSpec<unknown>): unknown {
  if (!file || (spec.sections && file.hasTables(name))) return undefined;
  if (spec.flag) return file.flag(name);
  return spec.many ? file.list(name, spec.parse) : file.one(name, spec.parse);
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
  return named.map(([name, { preset, value }]) => {
    const given: unknown = values[name];
    if (given === undefined) return `${name} ${preset}`;
    if (value !== "TIME") return `${name} ${given}`;
    return `${name} ${given === -1 ? "never" : `${Number(given) / 1000}s`}`;
  });
}
