/**
 * `deno task compile [-- --target TRIPLE] [--out DIR] [--compiler FILE]`: single binaries, with only the permissions that
 * each needs.
 *
 * Every entry point is bundled first: a bundle starts four times faster and is a tenth of the size. `--compiler` names the
 * Deno that compiles, if not this one; `DENORT_BIN` names the runtime to build on where the network does not let it be
 * fetched, and has to be of the compiler's version.
 */

import { parseArgs } from "node:util";

/** SALLYPORT_… are the options; the others are what the command-line library asks for colours. */
const ENV = "SALLYPORT_*,NO_COLOR,FORCE_COLOR,CLICOLOR,CLICOLOR_FORCE,NODE_DEBUG";
const PERMISSIONS = ["--no-prompt", "--allow-net", "--allow-read", `--allow-env=${ENV}`];

const BINARIES: Record<string, string> = {
  "sallyport": "main.ts",
  "sallyport-device": "device/main.ts",
  "sallyport-server": "server/main.ts",
};

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: {
    target: { type: "string" },
    out: { type: "string", default: "dist" },
    compiler: { type: "string", default: Deno.execPath() },
  },
});

await Deno.mkdir(`${values.out}/bundle`, { recursive: true });
for (const [name, entry] of Object.entries(BINARIES)) {
  const bundle = `${values.out}/bundle/${name}.js`;
  await run(Deno.execPath(), ["bundle", "--quiet", "--platform", "deno", "--minify", "--output", bundle, entry]);
  const target = values.target === undefined ? [] : ["--target", values.target];
  const output = `${values.out}/${name}`;
  await run(values.compiler, [
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    ...PERMISSIONS,
    ...target,
    "--output",
    output,
    bundle,
  ]);
  say(`${output}${values.target ? ` for ${values.target}` : ""}`);
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, code } = await new Deno.Command(command, { args, stdout: "inherit", stderr: "inherit" }).spawn()
    .status;
  if (success) return;
  say(`compile: ${args[0]} ended with ${code}`);
  if (args[0] === "compile" && !Deno.env.has("DENORT_BIN")) {
    say(
      "If the runtime could not be downloaded: set DENORT_BIN to a denort of this Deno's version (docs/operations.md)",
    );
  }
  Deno.exit(1);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}
