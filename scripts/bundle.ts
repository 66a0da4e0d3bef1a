/**
 * A program as a few files of its own, which start four times faster than its modules: one for each part that is loaded
 * when it is needed, and of ASCII alone.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { withoutColors } from "./colors.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Bundles what begins in `entry`, by its path from the root, into a folder. @returns the file to run. */
export async function bundle(entry: string, folder: string): Promise<string> {
  await Deno.remove(folder, { recursive: true }).catch(() => {}); // parts of another version
  // Not with --minify: it puts what is used once in its place, also behind `using`, and then nobody closes it.
  const how = ["--quiet", "--platform", "deno", "--code-splitting"];
  const { success, code } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", ...how, "--outdir", folder, `${ROOT}${entry}`],
    env: withoutColors(),
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (!success) throw new Error(`bundle ended with ${code}`);
  for (const { name } of Deno.readDirSync(folder)) inAscii(`${folder}/${name}`);
  return `${folder}/main.js`;
}

/** A single character beyond Latin-1, as in a comment, has the runtime keep all of a file with two bytes for each. */
function inAscii(file: string): void {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  Deno.writeTextFileSync(file, Deno.readTextFileSync(file).replace(/[^\0-\x7f]/g, escaped));
}
