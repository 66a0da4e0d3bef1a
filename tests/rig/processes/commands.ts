/**
 * Commands that do one thing and end: what came of them.
 *
 * @module
 */

import { Child, type ChildOptions } from "./child.ts";
import { sallyport } from "./daemons.ts";

/** What came of a command. */
export interface Outcome {
  /** Its exit code. */
  readonly code: number;
  /** Its lines on stdout. */
  readonly stdout: string[];
  /** What it wrote to stderr. */
  readonly stderr: string;
}

/** Runs `sallyport server …` or `sallyport device …` to its end. */
export async function outcome(
  role: "server" | "device",
  args: readonly string[],
  { prefix = [], ...options }: ChildOptions & { readonly prefix?: readonly string[] } = {},
): Promise<Outcome> {
  await using child = Child.start(`${role} ${args[0] ?? ""}`, [...prefix, ...sallyport(role, args)], options);
  const code = await child.end();
  return { code, stdout: child.stdout, stderr: child.stderr.join("\n") };
}

/** The same, for a command that has to go well. @returns its lines on stdout. */
export async function succeed(...given: Parameters<typeof outcome>): Promise<string[]> {
  const { code, stdout, stderr } = await outcome(...given);
  if (code !== 0) throw new Error(`${given[0]} ${given[1].join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}
