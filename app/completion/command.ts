/**
 * `sallyport completion SHELL`: prints what makes a shell complete the program's commands and options.
 *
 * The script has all of them in it, and runs no program for each TAB: starting one takes long on a small gateway.
 *
 * @module
 */

import { Argument, type Command } from "commander";
import { argument, taskCommand } from "../command.ts";
import { stdout } from "../output.ts";
import { oneOf } from "../values.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { type CommandNode, readCommand } from "./tree.ts";
import { zshCompletion } from "./zsh.ts";

/** Shells, and what makes a script for each. */
export const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const satisfies Record<
  string,
  (root: CommandNode) => string
>;

const NAMES = Object.keys(SHELLS) as (keyof typeof SHELLS)[];

/** The command, below the program `name`; `root` gives the program. */
export function completionCommand(name: string, root: () => Promise<Command>): Command {
  const help = "Prints a script that completes commands and options in a shell.";
  const shell = new Argument("<shell>", NAMES.join(", ")).choices(NAMES).argParser(argument(oneOf(...NAMES)));
  return taskCommand(`${name} completion`, help, {}, examples(name))
    .addArgument(shell)
    .action(async (shell: keyof typeof SHELLS) => stdout.write(SHELLS[shell](readCommand(await root())).trimEnd()));
}

function examples(name: string): string {
  return `For every user of a machine, where the package has not done it:
    ${name} completion bash > /etc/bash_completion.d/${name}
    ${name} completion zsh > /usr/local/share/zsh/site-functions/_${name}
    ${name} completion fish > /etc/fish/completions/${name}.fish

  In one shell, to try it:
    source <(${name} completion bash)`;
}
