/**
 * `deno task test [-- ARGUMENTS OF deno test]`: installs the real clients that it lacks where it can, runs every test in
 * random order, and says how it went: which tests were skipped and why, then `N passed, N failed`. Without arguments, a part
 * of them runs once more on the portable engine; `SALLYPORT_ENGINE` names one for all that is asked for.
 *
 * Where `CI` is set, a skip is a failure.
 *
 * @module
 */

import { withoutColors } from "./colors.ts";
import { installClients } from "./test/install_clients.ts";
import { filterOf, type Results, resultsOf } from "./test/results.ts";
import { say } from "../tests/rig/say.ts";

const inCi = !["", "0", "false"].includes(Deno.env.get("CI") ?? "");

/** What runs on the portable engine as well, in two minutes: whole relays, and what sockets are put through. */
const PORTABLE = [
  "tests/v1",
  "tests/v2",
  "tests/resets_test.ts",
  ...["v1_link_cut", "v1_peers_gone", "v1_strangers", "v2_strangers", "v2_take_over"].map((name) =>
    `tests/faults/${name}_test.ts`
  ),
];

/** @returns the exit code. */
async function run(): Promise<number> {
  await installClients(say);
  const given = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
  if (given.length > 0 || Deno.env.get("SALLYPORT_ENGINE")) return summarize(await runTests(given));
  const native = await runTests([], inCi ? "native" : "auto"); // in CI a fallback would go unseen
  say(`\nOn the portable engine: ${PORTABLE.join(", ")}`);
  const portable = await runTests(PORTABLE, "portable");
  return summarize({
    passed: native.passed + portable.passed,
    failed: [...native.failed, ...portable.failed.map((name) => `${name} (portable engine)`)],
    skipped: [
      ...native.skipped,
      ...portable.skipped.map((test) => ({ ...test, name: `${test.name} (portable engine)` })),
    ],
  });
}

/** Runs `deno test` on an engine; without one, on the one that the environment names. */
async function runTests(args: readonly string[], engine?: string): Promise<Results> {
  const folder = await Deno.makeTempDir({ prefix: "sallyport-test-" });
  try {
    const report = `${folder}/report.xml`;
    const skips = `${folder}/skips`;
    await Deno.writeTextFile(skips, "");
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", "--shuffle", `--junit-path=${report}`, ...args],
      env: { SALLYPORT_TEST_SKIPS: skips, ...(engine && { SALLYPORT_ENGINE: engine }), ...withoutColors() },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    const results = resultsOf(await readText(report), await readText(skips), filterOf(args));
    // What fails outside a test, such as a type error, is in no report.
    return code !== 0 && results.failed.length === 0 ? { ...results, failed: ["the run as a whole"] } : results;
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

// By its name `deno test` takes this file for a test: then there is nothing to do.
if (import.meta.main && !Deno.env.has("SALLYPORT_TEST_SKIPS")) Deno.exitCode = await run();
