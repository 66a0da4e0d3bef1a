/**
 * A program that a test writes, run as a process of its own with the permissions of a compiled binary.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** What a compiled binary has that reads and writes files. */
const PERMISSIONS = ["--no-prompt", "--allow-read", "--allow-write", "--allow-sys=uid,hostname", "--allow-env"];

/** How a program ended; blanks at the end of what it wrote are gone. */
export interface ProgramEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a module, whose imports stand as in the root folder, to its end. */
export async function runProgram(source: string, args: readonly string[]): Promise<ProgramEnd> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", ...PERMISSIONS, "-", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(source));
  await input.close();
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { code, out: text(stdout), err: text(stderr) };
}
