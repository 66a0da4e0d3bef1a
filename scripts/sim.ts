/**
 * Simulates both ends of v2 sessions in virtual time: random users over random networks that are cut at any byte and in any
 * phase. A model checks what `docs/resume.md` promises.
 *
 *     deno task sim
 *     deno task sim -- --seed 7 --runs 10000
 *     deno task sim -- --seed 7 --trace
 *
 * `--seed` alone replays that run. A failing run prints the seed that repeats it, and the exit code is 1; with bad options
 * it is 2.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { helped, seedOf, understood, wholeNumber } from "./arguments.ts";
import { planOf } from "../tests/rig/sim/plan.ts";
import { type Outcome, simulate } from "../tests/rig/sim/world.ts";
import { say } from "../tests/rig/say.ts";

const DEFAULT_RUNS = 3_000;

interface Options {
  readonly seed: number;
  readonly runs: number;
  readonly trace: boolean;
}

function optionsOf(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: { seed: { type: "string" }, runs: { type: "string" }, trace: { type: "boolean" } },
  });
  const { seed, runs, trace = false } = values;
  return {
    seed: seedOf(seed),
    runs: runs !== undefined ? wholeNumber("runs", runs) : seed === undefined ? DEFAULT_RUNS : 1,
    trace,
  };
}

/** Runs them all. @returns the exit code. */
async function run({ seed, runs, trace }: Options): Promise<number> {
  const start = performance.now();
  let [links, resumes, bytes] = [0, 0, 0];
  say(`simulating from seed ${seed}`);
  for (let at = 0; at < runs; at++) {
    const own = (seed + at) % 2 ** 32; // each run has a seed of its own, so that one can be repeated alone
    const outcome: Outcome = await simulate(planOf(own));
    if (trace) { for (const line of outcome.lines) say(line); }
    if (runs === 1) say(`seed ${own}: trace ${outcome.hash}`);
    if (outcome.failure !== undefined) {
      say(`seed ${own} failed after ${at} runs: ${outcome.failure}`);
      say(`repeat it with: deno task sim -- --seed ${own} --trace`);
      return 1;
    }
    links += outcome.links;
    resumes += outcome.resumes;
    bytes += outcome.bytes;
  }
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  const megabytes = (bytes / 1e6).toFixed(1);
  say(`${runs} runs in ${seconds} s, ${links} links, ${resumes} resumes, ${megabytes} MB: all held`);
  return 0;
}

async function main(args: readonly string[]): Promise<number> {
  const usage = "deno task sim -- [--seed N] [--runs M] [--trace]";
  if (helped(args, usage)) return 0;
  const options = understood(optionsOf, args, usage);
  return options ? await run(options) : 2;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
