/**
 * The commands of a program as data: what completion and the manual are made from, so that they say what `--help` says.
 *
 * @module
 */

import type { Command } from "commander";

/** What stands behind an option, for whoever completes it. */
export type ValueKind = "none" | "text" | "file" | "folder";

/** An option. */
export interface OptionNode {
  /** As it is written: `--state`. */
  readonly flag: string;
  /** The short way to write it, if there is one. */
  readonly short: string | undefined;
  /** The name of its value in help; `undefined` without a value. */
  readonly value: string | undefined;
  readonly kind: ValueKind;
  /** The only values that it takes; none if it takes others. */
  readonly choices: readonly string[];
  /** One line of help. */
  readonly help: string;
}

/** An argument. */
export interface ArgumentNode {
  readonly name: string;
  readonly required: boolean;
  /** The only values that it takes; none if it takes others. */
  readonly choices: readonly string[];
  readonly help: string;
}

/** A command, with those below it. */
export interface CommandNode {
  /** What users type, from the program on: `sallyport server enroll`. */
  readonly path: string;
  readonly name: string;
  /** One line of help. */
  readonly summary: string;
  /** The text above the options in help, and below its first line. */
  readonly examples: string;
  readonly arguments: readonly ArgumentNode[];
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
}

/** Reads a command of the command-line library, below the command that users know as `above`. */
export function readCommand(command: Command, above = ""): CommandNode {
  const path = `${above} ${command.name()}`.trim();
  const help = command.createHelp();
  const [first = "", ...rest] = command.description().split("\n\n");
  return {
    path,
    name: command.name(),
    summary: command.summary() || first,
    examples: rest.join("\n\n"),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      required: argument.required,
      choices: argument.argChoices ?? [],
      help: argument.description,
    })),
    options: help.visibleOptions(command).map((option): OptionNode => {
      const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
      return {
        flag: option.long ?? option.flags,
        short: option.short,
        value,
        kind: kindOf(value),
        choices: option.argChoices ?? [],
        help: option.description,
      };
    }),
    commands: help.visibleCommands(command).filter((below) => below.name() !== "help")
      .map((below) => readCommand(below, path)),
  };
}

function kindOf(value: string | undefined): ValueKind {
  if (value === undefined) return "none";
  if (value === "FILE" || value === "PATH") return "file";
  return value === "DIR" ? "folder" : "text";
}

/** A command and all below it. */
export function* all(node: CommandNode): Generator<CommandNode> {
  yield node;
  for (const below of node.commands) yield* all(below);
}

/** What may stand in place of an argument, and is known: commands, and words. */
export function words({ commands, arguments: args }: CommandNode): string[] {
  return [...commands.map(({ name }) => name), ...args.flatMap(({ choices }) => choices)];
}

/** Programs that are one command of the whole, by name: they are completed as that command is. */
export function programs(root: CommandNode): Map<string, string> {
  const named = root.commands.filter(({ commands }) => commands.length > 0)
    .map(({ name, path }) => [`${root.name}-${name}`, path] as const);
  return new Map([[root.name, root.path], ...named]);
}
