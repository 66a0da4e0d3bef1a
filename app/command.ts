/**
 * What the commands of all binaries share: their common options, their manner, and the file behind `--config`.
 *
 * @module
 */

import { Command, Option } from "commander";
import { type EngineChoice, ENGINES } from "../net/engines.ts";
import { commandMistake, meantBy } from "./command_mistake.ts";
import { strangeVariables } from "./environment.ts";
import {
  addOptions,
  fromEnvironment,
  once,
  onCommandLine,
  type OptionSpec,
  type OptionTable,
  type OptionValues,
  optionValues,
  variable,
} from "./options.ts";
import { stderr, stdout, terminalColumns } from "./output.ts";
import { printable } from "./printable.ts";
import { loadConfig } from "./files/state_version.ts";
import { type ConfigFile, configFile } from "./reload/file_watch.ts";
import { beginTask } from "./run.ts";
import type { TomlTable } from "./toml/table.ts";
import { ConfigError } from "./toml/config_error.ts";
import { closest } from "../base/closest.ts";
import { oneOf } from "./values.ts";
import { VERSION } from "../base/version.ts";

/** How the command that users know as `fullName` writes its help, and what the command-line library has against it. */
export function commandOutput(fullName: string, command?: () => Command) {
  return {
    writeOut: (text: string): void => stdout.write(text.trimEnd()),
    writeErr: (text: string): void => stderr.write(text.trimEnd()),
    outputError: (text: string): void => {
      const stray = command && strayWord(command());
      stderr.write(stray ? `${fullName.split(" ")[0]}: ${stray.message}` : commandMistake(fullName, text));
    },
  };
}

/** The most columns that help takes: longer lines are hard to read. */
const MAX_HELP_WIDTH = 120;

/** The option `--engine`. */
export const ENGINE_OPTION = {
  value: "ENGINE",
  help: "sockets and TLS: native (Linux, OpenSSL 3), portable (the runtime's), or auto: the best of them that there is",
  parse: oneOf(...ENGINES),
  preset: "auto",
} as const satisfies OptionSpec<EngineChoice>;

/** Options that every command has. */
export const COMMON_OPTIONS = {
  "log-format": {
    value: "FORMAT",
    help: "text, json, or auto: text on a terminal, JSON lines otherwise",
    parse: oneOf("auto", "text", "json"),
    preset: "auto",
  },
  "log-level": {
    value: "LEVEL",
    help: "least to log: debug, info, warn or error",
    parse: oneOf("debug", "info", "warn", "error"),
    preset: "info",
  },
} satisfies OptionTable;

/** The command that users know as `fullName`, with the options of `table`, `--config` and `--check`; its help begins with examples. */
export function daemonCommand(
  fullName: string,
  description: string,
  table: OptionTable,
  examples: string,
): Command {
  const command: Command = new Command(fullName.split(" ").at(-1))
    .summary(description)
    .description(`${description}\n\n${examples}`)
    .version(VERSION, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .allowExcessArguments(true) // what is no command below it is told with a hint
    .exitOverride()
    .configureOutput(commandOutput(fullName, () => command))
    .configureHelp({ helpWidth: helpWidth(), optionDescription: (option) => option.description })
    .addHelpText(
      "after",
      "\nOptions with a name in the file can be set in the environment as well: --log-level as SALLYPORT_LOG_LEVEL.",
    )
    .addOption(new Option("--config <FILE>", "TOML file with the same words").argParser(parseConfig))
    .option("--check", "check the configuration, print what is in force, and exit")
    .enablePositionalOptions();
  addOptions(command, table, true);
  return command;
}

function parseConfig(text: string, before: unknown): string {
  if (text === "") throw new ConfigError("--config is empty; name a file, or leave it out");
  return once("--config", text, before);
}

/** What was given to a command, and the file behind `--config`, of which the caller may read more. */
export function readOptions<T extends OptionTable>(
  table: T,
  command: Command,
): { values: OptionValues<T>; file: TomlTable | undefined; from: ConfigFile | undefined; check: boolean } {
  const stray = strayWord(command);
  if (stray) throw stray;
  const { config = variable("SALLYPORT_CONFIG"), check } = command.opts<{ config?: string; check?: true }>();
  const from = config === undefined ? undefined : configFile(config); // before it is read
  const file = config === undefined ? undefined : loadConfig(config);
  if (check) tellStrangeVariables(table);
  return { values: optionValues(table, command, file), file, from, check: check === true };
}

/** A daemon takes no arguments: what stands there was meant for a command below it, and goes before options behind it. */
function strayWord(command: Command): ConfigError | undefined {
  const [word] = command.args;
  if (word === undefined || word.startsWith("-")) return undefined;
  if (/^R?:?\S*:\d+$/.test(word)) {
    return new ConfigError(
      `"${word}" is in the words of chisel or ssh; here the server says where clients come in ` +
        "(`server enroll NAME --service ssh=0.0.0.0:2201`), and the device what they reach (--service ssh=127.0.0.1:22)",
    );
  }
  return unknownCommand(command, word);
}

/** What to say of a word that is no command below `command`, with what may have been meant. */
export function unknownCommand(command: Command, word: string): ConfigError {
  const known = command.commands.map((each) => each.name());
  const below = command.commands.filter((each) => each.commands.some((one) => one.name() === word));
  const like = closest(word, known);
  const meant = meantBy([...pathOf(command), word]);
  const hint = meant
    ? `did you mean "${meant}"?`
    : known.length === 0
    ? `${command.name()} takes options alone`
    : below.length > 0
    ? `did you mean ${below.map((each) => `"${each.name()} ${word}"`).join(" or ")}?`
    : like
    ? `did you mean "${like}"?`
    : `there are: ${known.join(", ")}`;
  return new ConfigError(`unknown command "${word}"; ${hint}`);
}

/** The words of a command from its role on. */
function pathOf(command: Command): string[] {
  const words: string[] = [];
  for (let each: Command | null = command; each; each = each.parent) words.unshift(...each.name().split(" "));
  return words.filter((word) => word !== "sallyport");
}

/** The command `help`, below the command that users know as `fullName`: what `--help` prints, of any command below that. */
export function helpCommand(fullName: string): Command {
  return taskCommand(`${fullName} help`, "Prints the help of a command.", {}, examplesOf(fullName, "help"))
    .argument("[command...]", "the command, as it is typed")
    .action((words: string[], _options: unknown, command: Command) => {
      let meant = command.parent!;
      for (const word of words) {
        const named = (each: Command) => each.name() === word;
        const deeper = meant.commands.flatMap(({ commands }) => commands.filter(named));
        const next = meant.commands.find(named) ?? (deeper.length === 1 ? deeper[0] : undefined);
        if (!next) throw unknownCommand(meant, word);
        meant = next;
      }
      meant.outputHelp();
    });
}

/** A command that does one thing and ends, known to users as `fullName`. */
export function taskCommand(
  fullName: string,
  description: string,
  table: OptionTable,
  examples = "",
  env = false,
): Command {
  const command = new Command(fullName.split(" ").at(-1))
    .summary(description)
    .description(examples ? `${description}\n\n${examples}` : description)
    .helpOption("-h, --help", "print this help")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput(commandOutput(fullName))
    .configureHelp({ helpWidth: helpWidth(), optionDescription: (option) => option.description });
  addOptions(command, table, env);
  command.hook("preAction", () => {
    demandUse(command, table);
    if (!env) tellStrangeVariables(table);
    beginTask();
  });
  return command;
}

const readers = new WeakSet<Command>();

/** `task` reads the configuration of the daemon that it stands behind, `--config FILE` in front of its name. */
export function readsConfig(task: Command): Command {
  readers.add(task);
  return task;
}

/** What a daemon alone reads is refused in front of a task: whoever wrote it there counts on it. */
function demandUse(task: Command, table: OptionTable): void {
  if (readers.has(task)) return;
  for (let above = task.parent; above; above = above.parent) {
    for (const name of ["config", "check"]) {
      if (name in table || above.getOptionValueSource(name) !== "cli") continue;
      throw new ConfigError(
        `--${name} does nothing for "${task.name()}", which goes by its own options (--help has them); leave it out`,
      );
    }
  }
}

/** Examples for help, each as it is typed behind `name`. */
export function examplesOf(name: string, ...lines: readonly string[]): string {
  return ["Examples:", ...lines.map((line) => `  ${name} ${line}`)].join("\n");
}

/** Columns of help: those of the terminal, if it has fewer. */
export function helpWidth(): number {
  return Math.min(MAX_HELP_WIDTH, terminalColumns() ?? MAX_HELP_WIDTH);
}

/** A command that only has others below it, known to users as `fullName`; they read the options of `table`, too. */
export function groupCommand(fullName: string, summary: string, table: OptionTable, examples: string): Command {
  const command = new Command(fullName.split(" ").at(-1))
    .summary(summary)
    .description(`${summary}\n\n${examples}`)
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput(commandOutput(fullName))
    .configureHelp({ helpWidth: helpWidth() })
    .addCommand(helpCommand(fullName))
    .enablePositionalOptions();
  addOptions(command, table, false);
  return command;
}

/** For people; what runs on tells its log. */
function tellStrangeVariables(table: OptionTable): void {
  for (const line of strangeVariables(Object.keys(table))) stderr.write(`warning: ${line}`);
}

/**
 * What was given to such a command; an option that the command above it has too may stand before or after its name.
 *
 * The command line goes before the environment, wherever it stands on it, and of two places the one behind the name.
 */
export function taskOptions<T extends OptionTable>(table: T, command: Command): OptionValues<T> {
  const chain: Command[] = [];
  for (let each: Command | null = command; each; each = each.parent) chain.push(each);
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(table)) {
    const value = firstOf(chain, (each) => onCommandLine(each, name)) ??
      firstOf(chain, (each) => fromEnvironment(each, name));
    if (value !== undefined) values[name] = value;
  }
  return values as OptionValues<T>;
}

function firstOf(chain: readonly Command[], of: (command: Command) => unknown): unknown {
  for (const command of chain) {
    const value = of(command);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Reads an argument of a command. */
export function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof SyntaxError ? new ConfigError(error.message, { cause: error }) : error;
    }
  };
}

/** Prints one line to stdout, where scripts look: nothing in it steers a terminal or looks like another line. */
export function printLine(line: string): void {
  stdout.write(printable(line));
}
