/**
 * `deno task test [-- ARGUMENTS OF deno test]`: installs the real clients that it lacks where it can, runs every test in
 * random order, and says how it went: which tests were skipped and why, then `N passed, N failed`. `SALLYPORT_ENGINE` names
 * an engine for all that is asked for.
 *
 * Without arguments it is the whole suite, in parts side by side (`scripts/test/parts.ts`), types beside them, and some of
 * it once more on the portable engine; processes run a bundle of the program there, which starts sooner, but for what
 * measures. Where `SALLYPORT_BINARIES` names a folder, it is that which depends on being compiled, with the binaries in it.
 * `SALLYPORT_TEST_WORKERS` says how many parts at once.
 *
 * Where `CI` is set, a skip is a failure.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.ts";
import { helped } from "./arguments.ts";
import { withoutColors } from "./colors.ts";
import { installClients } from "./test/install_clients.ts";
import { alone, compiled, type Part, partsOf, portable, testFiles } from "./test/parts.ts";
import { filterOf, type Results, resultsOf } from "./test/results.ts";
import { byWorkers, passOn, workersOf } from "./test/workers.ts";
import { say } from "../tests/rig/say.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

const inCi = !["", "0", "false"].includes(Deno.env.get("CI") ?? "");

/** What failed where no test did. */
const AS_A_WHOLE = "the run as a whole";

/** What fails where the tests of a run passed, and something that they started is still there. */
const LEFT_BEHIND = "a process that it left behind holds its output";

/** @returns the exit code. */
async function run(): Promise<number> {
  const given = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
  const usage = "deno task test -- [FILE...] [OPTIONS OF deno test]; without any, the whole suite";
  if (helped(given, usage)) return 0;
  // Parts wait more than they work.
  const workers = workersOf(Deno.env.get("SALLYPORT_TEST_WORKERS"), navigator.hardwareConcurrency + 1);
  await installClients(say);
  return summarize(given.length > 0 ? [await runTests(given)] : await runAll(workers));
}

/** The whole suite. */
async function runAll(workers: number): Promise<Results[]> {
  const files = testFiles(ROOT);
  if (Deno.env.get("SALLYPORT_BINARIES")) {
    return [...await runParts(partsOf(compiled(files)), { workers }), ...await runParts(alone(compiled(files)))];
  }
  const named = Deno.env.get("SALLYPORT_ENGINE");
  const engine = named ?? (inCi ? "native" : "auto"); // in CI a fallback would go unseen
  const parts = [...partsOf(files, engine), ...(named ? [] : partsOf(portable(files), "portable"))];
  const folder = await Deno.makeTempDir({ prefix: "sallyport-test-" });
  try {
    await Deno.chmod(folder, 0o755); // other users run it, too
    const program = await bundle("main.ts", `${folder}/bundle`);
    const types = checkTypes();
    const results = await runParts(parts, { workers, program });
    return [await types, ...results, ...await runParts(alone(files, engine))];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Runs parts, at most `workers` of them at once, with a bundle of the program where one is named: it starts sooner. Types
 * are checked once for all of them, and not in each.
 */
function runParts(
  parts: readonly Part[],
  { workers = 1, program }: { readonly workers?: number; readonly program?: string } = {},
): Promise<Results[]> {
  return byWorkers(workers, parts, async ({ name, files, engine }) => {
    const began = performance.now();
    const results = await runTests(["--no-check", ...files], { engine, program, isBesideOthers: workers > 1 });
    const suffix = engine === "portable" ? " (portable engine)" : "";
    say(`== ${name}${suffix}: ${results.passed} passed in ${Math.round((performance.now() - began) / 1_000)} s`);
    return {
      passed: results.passed,
      failed: results.failed.map((test) =>
        `${test === AS_A_WHOLE || test === LEFT_BEHIND ? `${name}, ${test}` : test}${suffix}`
      ),
      skipped: results.skipped.map((test) => ({ ...test, name: `${test.name}${suffix}` })),
    };
  });
}

/** Type errors are in no report of tests that run without a check. */
async function checkTypes(): Promise<Results> {
  const { code } = await deno(["check", "--quiet", "."]);
  return { passed: 0, failed: code === 0 ? [] : ["types: deno check ."], skipped: [] };
}

/** How a process of `deno test` runs. */
interface Way {
  /** The engine; without one, that which the environment names. */
  readonly engine?: string | undefined;
  /** What the tests run as the program; without one, its source. */
  readonly program?: string | undefined;
  /** Whether others print at the same time. */
  readonly isBesideOthers?: boolean;
}

async function runTests(args: readonly string[], { engine, program, isBesideOthers }: Way = {}): Promise<Results> {
  const folder = await Deno.makeTempDir({ prefix: "sallyport-test-" });
  try {
    const report = `${folder}/report.xml`;
    const skips = `${folder}/skips`;
    await Deno.writeTextFile(skips, "");
    const env = {
      SALLYPORT_TEST_SKIPS: skips,
      ...(engine && { SALLYPORT_ENGINE: engine }),
      ...(program && { SALLYPORT_TEST_PROGRAM: program }),
    };
    const { code, isWhole } = await deno(["test", "--allow-all", "--shuffle", `--junit-path=${report}`, ...args], env, {
      inPieces: isBesideOthers ?? false,
    });
    const results = resultsOf(await readText(report), await readText(skips), filterOf(args));
    // What fails outside a test, such as a type error, is in no report.
    if (code !== 0 && results.failed.length === 0) return { ...results, failed: [AS_A_WHOLE] };
    return isWhole ? results : { ...results, failed: [...results.failed, LEFT_BEHIND] };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the runtime; what it prints is passed on at once, or in pieces that belong together. */
async function deno(
  args: readonly string[],
  env: Record<string, string> = {},
  { inPieces = false }: { readonly inPieces?: boolean } = {},
): Promise<{ readonly code: number; readonly isWhole: boolean }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { ...env, ...withoutColors() },
    stdin: "null",
    stdout: inPieces ? "piped" : "inherit",
    stderr: "inherit",
  }).spawn();
  const isWhole = !inPieces || await passOn(child.stdout, say, child.status);
  return { code: (await child.status).code, isWhole };
}

/** @returns the exit code. */
function summarize(parts: readonly Results[]): number {
  const passed = parts.reduce((sum, part) => sum + part.passed, 0);
  const failed = parts.flatMap((part) => part.failed);
  const skipped = parts.flatMap((part) => part.skipped);
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
