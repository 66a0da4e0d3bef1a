/**
 * `doctor`: looks at what a daemon needs, all at once, and says what to do about what is wrong.
 *
 * @module
 */

import type { Command } from "commander";
import { type Clock, systemClock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { printLine, taskCommand, taskOptions } from "../command.ts";
import { CHECK_MS } from "../limits.ts";
import { STATE_OPTION } from "../files/state.ts";
import type { OptionTable, OptionValues } from "../options.ts";
import { parsePath } from "../values.ts";
import { UnfinishedError } from "../run.ts";

/** How something is. */
export interface Finding {
  readonly level: "ok" | "warn" | "fail";
  /** What was seen, in one line. */
  readonly text: string;
  /** What would do, if something is to be done. */
  readonly advice?: string;
}

/** One thing to look at. */
export interface Check {
  /** What it is called. */
  readonly name: string;
  /** Looks. What it throws is a failure; `signal` aborts when its time is over. */
  look(signal: AbortSignal): Finding | Promise<Finding>;
}

/** A check with what it found. */
export type Found = Finding & { readonly check: string };

/** Looks at everything at once, each within {@linkcode CHECK_MS}. @returns what was found, in the order of the checks. */
export function examine(checks: readonly Check[], clock: Clock): Promise<Found[]> {
  return Promise.all(checks.map(async (check) => {
    const abort = new AbortController();
    const late = Promise.withResolvers<Finding>();
    const cancel = clock.after(CHECK_MS, () => {
      abort.abort();
      late.resolve({ level: "fail", text: `it took longer than ${CHECK_MS / 1000} s` });
    });
    const looked = (async () => await check.look(abort.signal))().catch((error: unknown): Finding => {
      const [text = ""] = describeError(error).split("\n");
      return { level: "fail", text };
    });
    const finding = await Promise.race([looked, late.promise]);
    cancel();
    return { check: check.name, ...finding };
  }));
}

/** What may stand behind the word, as well as in front of it. */
export const DOCTOR_OPTIONS = {
  config: { value: "FILE", help: "TOML file that the daemon is started with", parse: parsePath },
  state: STATE_OPTION,
} as const satisfies OptionTable;

/** What the command is of. */
export interface DoctorFacts {
  readonly help: string;
  readonly examples: string;
  /** What is to be looked at; `daemon` is the command of the daemon, with the options in front of the word. */
  checks(given: OptionValues<typeof DOCTOR_OPTIONS>, daemon: Command): Promise<Check[]>;
}

/** The command, below the daemon's command `name`. It ends with 1 if a check fails. */
export function doctorCommand(name: string, facts: DoctorFacts): Command {
  return taskCommand(`${name} doctor`, facts.help, DOCTOR_OPTIONS, facts.examples, true)
    .option("--json", "print JSON")
    .action(async (_options: unknown, command: Command) => {
      const found = await examine(
        await facts.checks(taskOptions(DOCTOR_OPTIONS, command), command.parent!),
        systemClock,
      );
      if (command.opts<{ json?: true }>().json) printLine(JSON.stringify(found));
      else for (const line of found.flatMap(linesOf)) printLine(line);
      const failed = found.filter(({ level }) => level === "fail").length;
      if (failed > 0) throw new UnfinishedError(`${failed} of ${found.length} checks failed`);
    });
}

function linesOf({ check, level, text, advice }: Found): string[] {
  return [`${level.padEnd(5)}${check}: ${text}`, ...(advice === undefined ? [] : [`     -> ${advice}`])];
}
