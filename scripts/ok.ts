/**
 * `deno task ok [-- --without-tests]`: the one gate before a commit. Format, lint, types, the examples in the docs, and
 * the tests; where these have run already, the rest alone.
 */

import { withoutColors } from "./colors.ts";
import { say } from "../tests/rig/say.ts";

const steps: [name: string, args: string[]][] = [
  ["format", ["fmt", "--check", "--quiet"]],
  ["lint", ["lint", "--quiet"]],
  ["types", ["check", "--quiet", "."]],
  ["docs", ["doc", "--lint", "mod.ts"]],
  ["examples", ["test", "--doc", "--allow-all", "--quiet", ...withExamples()]],
  ["tests", ["run", "--allow-all", "scripts/test.ts"]],
];

/** The modules whose docstrings have examples: with folders, their tests would run once more. */
function withExamples(): string[] {
  const found: string[] = [];
  const look = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) look(path);
      else if (/(?<!_test)\.ts$/.test(name) && Deno.readTextFileSync(path).includes(" * ```ts")) found.push(path);
    }
  };
  for (const room of ["base", "protocol", "net", "relay", "can", "app", "server", "device"]) look(room);
  return ["mod.ts", ...found];
}

const withoutTests = Deno.args.includes("--without-tests");

for (const [name, args] of steps) {
  if (name === "tests" && withoutTests) continue;
  say(`== ${name}`);
  const quiet = name === "docs"; // prints all it read when it finds nothing
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env: withoutColors(),
    stdout: quiet ? "null" : "inherit",
    stderr: "inherit",
  }).spawn();
  const { code } = await child.status;
  if (code !== 0) {
    say(`not ok: ${name}; to see it alone: deno ${args.join(" ")}`);
    Deno.exit(1);
  }
}
say("ok");
