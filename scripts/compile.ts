/**
 * `deno task compile [-- --target TRIPLE] [--out DIR] [--compiler FILE]`: single binaries, with only the permissions that
 * they need.
 *
 * Every entry point is bundled first: a bundle starts four times faster and is a tenth of the size. `--compiler` names the
 * Deno that compiles, if not this one (`SALLYPORT_COMPILER` does too); `DENORT_BIN` names the runtime to build on where the
 * network does not let it be fetched, and has to be of the compiler's version. `scripts/denort.sh` gets both from npm.
 */

import { parseArgs } from "node:util";
import { describeError } from "../base/errors.ts";
import { bundle } from "./bundle.ts";
import { withoutColors } from "./colors.ts";
import { RUNTIME_FLAGS } from "../tests/rig/processes/runtime_flags.ts";
import { say } from "../tests/rig/say.ts";

const PERMISSIONS = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-sys=uid,hostname,networkInterfaces,statfs",
  "--allow-run", // hooks, whose programs stand in the configuration file
  "--allow-ffi", // the native engine: sockets by libc, TLS by OpenSSL 3
  "--allow-env", // all of it: a variable with a slip in its name is found only by looking at every name
];

/** Entry points, by binary. */
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
    compiler: { type: "string", default: Deno.env.get("SALLYPORT_COMPILER") ?? Deno.execPath() },
  },
});
const runtime = Deno.env.get("DENORT_BIN");
if (runtime !== undefined && values.target !== undefined && values.target !== Deno.build.target) {
  fail(
    `DENORT_BIN is one file for one platform, and would end up in a binary for ${values.target}; unset one of the two`,
  );
}

for (const [name, entry] of Object.entries(BINARIES)) {
  const main = await bundle(entry, `${values.out}/bundle/${name}`).catch((error) => fail(describeError(error)));
  const target = values.target === undefined ? [] : ["--target", values.target];
  const output = `${values.out}/${name}`;
  await run(values.compiler, [
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-code-cache",
    ...RUNTIME_FLAGS,
    ...PERMISSIONS,
    ...target,
    "--output",
    output,
    main,
  ]);
  if (values.target === undefined || values.target === Deno.build.target) await check(output);
  say(`${output}${values.target ? ` for ${values.target}` : ""}`);
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, code } = await new Deno.Command(command, {
    args,
    env: withoutColors(),
    stdout: "inherit",
    stderr: "inherit",
  }).spawn()
    .status;
  if (success) return;
  const hint = runtime === undefined
    ? "; if the runtime could not be downloaded, scripts/denort.sh gets one from npm (docs/install.md, Compiling offline)"
    : "";
  fail(`${args[0]} ended with ${code}${hint}`);
}

/** A runtime of another version than the compiler's makes a binary that cannot start. */
async function check(binary: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(await Deno.realPath(binary), { args: ["--version"] }).output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim();
  fail(`${binary} does not start (${said}); is DENORT_BIN of the version of ${values.compiler}?`);
}

function fail(why: string): never {
  say(`compile: ${why}`);
  Deno.exit(1);
}
