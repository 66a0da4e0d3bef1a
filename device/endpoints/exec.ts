/**
 * `exec:["/usr/bin/program","argument"]`: a program for each client, as inetd starts them.
 *
 * @module
 */

import { EXEC_MAX_CLIENTS } from "../limits.ts";
import { takesNative } from "../../net/engines.ts";
import type { Endpoint, EndpointKind } from "./endpoint.ts";
import { splitAtCommas } from "./split.ts";
import { ProgramReach } from "./program_reach.ts";

/** A program, and how it is run. */
export interface ProgramSpec {
  /** Its path, and its arguments, as no shell splits them. */
  readonly command: readonly [string, ...string[]];
  /** Whether it has a terminal in place of pipes. */
  readonly pty: boolean;
  /** Where what it writes to its standard error goes: to the log, or to the client. */
  readonly stderr: "log" | "client";
}

const EXAMPLE = 'exec:["/usr/bin/program","argument"]';

/** Programs of this machine. Only its own configuration names one. */
export const execKind: EndpointKind = {
  name: "exec",
  example: EXAMPLE,
  keys: ["stderr"],
  takesHeader: false,
  isLookedAt: false,
  parse(text): Endpoint {
    const spec = parseProgram(text);
    return {
      address: `exec:${spec.command[0]}`,
      lacks: ({ openTerminal }) => !spec.pty || openTerminal ? undefined : takesNative("a terminal (pty)", "pty"),
      open: (surroundings) => new ProgramReach(spec, surroundings.maxClients ?? EXEC_MAX_CLIENTS, surroundings),
    };
  },
};

/** Reads what stands behind `exec:`. @throws {SyntaxError} with what was wrong and what would do. */
export function parseProgram(text: string): ProgramSpec {
  const [list = "", ...options] = splitAtCommas(text);
  const command = parseCommand(list, text);
  let pty = false;
  let stderr: ProgramSpec["stderr"] | undefined;
  for (const option of options) {
    if (option === "pty" && !pty) pty = true;
    else if (option === "stderr=log" && !stderr) stderr = "log";
    else if (option === "stderr=client" && !stderr) stderr = "client";
    else {
      throw new SyntaxError(
        `"${option}" in "exec:${text}" is nothing here, or stands there twice; there are pty, stderr=log and stderr=client`,
      );
    }
  }
  if (pty && stderr) throw new SyntaxError(`a terminal has one output; leave stderr=${stderr} out of "exec:${text}"`);
  return { command, pty, stderr: stderr ?? "log" };
}

function parseCommand(list: string, text: string): readonly [string, ...string[]] {
  let command: unknown;
  try {
    command = JSON.parse(list);
  } catch {
    throw new SyntaxError(`"exec:${text}" is no list of texts; write ${EXAMPLE}, as no shell splits it`);
  }
  if (!isTexts(command)) throw new SyntaxError(`"exec:${text}" is no list of texts; write ${EXAMPLE}`);
  const [program = "", ...args] = command;
  if (!/^\/.*[^/]$/s.test(program)) {
    throw new SyntaxError(`"exec:${text}" does not begin with the whole path of a program; write ${EXAMPLE}`);
  }
  if (command.some((each) => each.includes("\0"))) {
    throw new SyntaxError(`an argument in exec:["${program}", …] has a NUL character, which no program can be given`);
  }
  return [program, ...args];
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
