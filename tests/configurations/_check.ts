/**
 * `--check` of bad configurations, without a process of its own for each.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { complaintOf } from "../../app/run.ts";
import { deviceCommand } from "../../device/cli/cli.ts";
import { serverCommand } from "../../server/cli/cli.ts";
import { folderTest } from "../rig/test.ts";

/** A configuration that cannot be used. */
export interface BadConfiguration {
  /** What is wrong with it, for the test's name. */
  readonly what: string;
  /** The file that `--config` names, if there is one. */
  readonly file?: string | Uint8Array<ArrayBuffer>;
  /** What stands on the command line besides. */
  readonly args?: readonly string[];
  /** What the environment says besides. */
  readonly env?: Readonly<Record<string, string>>;
  /** Other files in the folder, by name; a list is a text and its mode. */
  readonly files?: Readonly<Record<string, string | readonly [text: string, mode: number]>>;
  /** The message, as a whole, but for the line of the file that is shown below; names of files are without their folder. */
  readonly says: string;
}

const COMMANDS = { server: serverCommand, device: deviceCommand };

/** What `sallyport ROLE --check` says to it, with its exit code. */
export async function check(
  role: keyof typeof COMMANDS,
  folder: string,
  { file, args = [], env = {}, files = {} }: BadConfiguration,
): Promise<{ code: number; text: string }> {
  for (const [name, content] of Object.entries(files)) {
    const [text, mode] = typeof content === "string" ? [content, 0o600] as const : content;
    Deno.mkdirSync(dirname(`${folder}/${name}`), { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(`${folder}/${name}`, text.replaceAll("FOLDER", folder), { mode: 0o600 });
    Deno.chmodSync(`${folder}/${name}`, mode);
  }
  const config = `${folder}/${role}.toml`;
  if (typeof file === "string") Deno.writeTextFileSync(config, file.replaceAll("FOLDER", folder));
  else if (file) Deno.writeFileSync(config, file);
  const words = [...args.map((word) => word.replaceAll("FOLDER", folder)), "--state", `${folder}/state`, "--check"];
  const before = Object.keys(env).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  try {
    const command = COMMANDS[role](`sallyport ${role}`);
    await command.parseAsync([...(file === undefined ? [] : ["--config", config]), ...words], { from: "user" });
    return { code: 0, text: "it is taken" };
  } catch (error) {
    const { code, text = "" } = complaintOf(error);
    return { code, text: text.replaceAll(`${folder}/`, "").replaceAll(folder, "FOLDER") };
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

/** A test for each: what, where, and what would do, in one line, and exit code 2. */
export function refuses(role: keyof typeof COMMANDS, all: readonly BadConfiguration[]): void {
  for (const bad of all) {
    folderTest(`${role} --check: ${bad.what}`, async (folder) => {
      const { code, text } = await check(role, folder, bad);
      const [line = "", ...shown] = text.split("\n");
      assert.deepEqual([code, line], [2, bad.says]);
      if (shown.length === 0) return;
      const [, number = "", column = ""] = /:(\d+):(\d+): /.exec(line) ?? [];
      assert.ok(shown[0]!.startsWith(`  ${number} | `), text);
      assert.equal(shown[1]!.indexOf("^"), `  ${number} | `.length + Number(column) - 1, text);
    });
  }
}
