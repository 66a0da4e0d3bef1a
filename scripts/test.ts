/**
 * `deno task test [-- ARGUMENTS OF deno test]`: installs the real clients that it lacks where it can, runs every test in
 * random order, and says how it went: which tests were skipped and why, then `N passed, N failed`.
 *
 * Where `CI` is set, a skip is a failure.
 *
 * @module
 */

import { withoutColors } from "./colors.ts";
import { installClients } from "./install_clients.ts";
import { filterOf, type Results, resultsOf } from "./test_results.ts";
import { say } from "../tests/rig/say.ts";

const inCi = !["", "0", "false"].includes(Deno.env.get("CI") ?? "");

// By its name `deno test` takes this file for a test: then there is nothing to do.
if (import.meta.main && !Deno.env.has("SALLYPORT_TEST_SKIPS")) Deno.exitCode = await run();

/** @returns the exit code. */
async function run(): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "sallyport-test-" });
  try {
    await installClients(say);
    const report = `${folder}/report.xml`;
    const skips = `${folder}/skips`;
    await Deno.writeTextFile(skips, "");
    const given = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", "--shuffle", `--junit-path=${report}`, ...given],
      env: { SALLYPORT_TEST_SKIPS: skips, ...withoutColors() },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    const results = resultsOf(await readText(report), await readText(skips), filterOf(given));
    // What fails outside a test, such as a type error, is in no report.
    const failed = code !== 0 && results.failed.length === 0 ? ["the run as a whole"] : results.failed;
    return summarize({ ...results, failed });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @returns the exit code. */
function summarize({ passed, failed, skipped }: Results): number {
  say("");
  for (const name of failed) say(`failed: ${name}`);
  for (const { name, missing } of skipped) {
    say(`skipped: ${name}${missing.length > 0 ? `; missing: ${missing.join(", ")}` : ""}`);
  }
  if (inCi && skipped.length > 0) say("In CI a skip is a failure.");
  const failures = failed.length + (inCi ? skipped.length : 0);
  say(`${passed} passed, ${failures} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
  return failures > 0 ? 1 : 0;
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
