/**
 * A relay for hours: clients come and go, its link is cut now and then in every way, and the memory and descriptors of
 * both daemons have to stay flat. As {@link ./chaos.ts}, it has to be run as root on Linux.
 *
 *     deno task soak -- --hours 10
 *     deno task soak -- --minutes 30 --seed 7
 *
 * Each line has the least of a minute, of what was seen of a daemon: what is in use between two garbage collections
 * comes and goes. In the end there is what memory grew by: how much the highest of the last quarter is above that of the
 * two before it, as heaps give back at once what they took in many minutes, and grow to the size that they keep at first;
 * and the slope of the descriptors (least squares) of the second half. The exit code is 1 if one is beyond its limit or
 * anything was lost, 2 with bad options, 3 where it cannot be run.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { helped, positive, understood } from "./arguments.ts";
import { missing } from "../tests/rig/processes/requirements.ts";
import { RESUME_NEEDS } from "../tests/rig/machines/resume_machines.ts";
import { soak } from "./soak/run.ts";
import { say } from "../tests/rig/say.ts";

const USAGE = "deno task soak -- [--hours N | --minutes N] [--seed S]";
const DEFAULT_MINUTES = 60;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  if (helped(args, USAGE)) return 0;
  const given = understood(options, args, USAGE);
  if (!given) return 2;
  const { minutes, seed } = given;
  const lacking = missing("soak", RESUME_NEEDS);
  if (lacking.length > 0) {
    say(`this machine lacks: ${lacking.join(", ")}`);
    return 3;
  }
  say(`soak from seed ${seed}, ${minutes} minutes`);
  const faults = await soak({ minutes, seed }, say);
  for (const fault of faults) say(`FAULT: ${fault}`);
  say(faults.length === 0 ? "flat, and 0 bytes lost" : `${faults.length} faults`);
  return faults.length === 0 ? 0 : 1;
}

function options(args: string[]): { minutes: number; seed: number } {
  const { values } = parseArgs({
    args,
    options: { hours: { type: "string" }, minutes: { type: "string" }, seed: { type: "string" } },
  });
  const number = (name: "hours" | "minutes" | "seed") => {
    const text = values[name];
    return text === undefined ? undefined : positive(name, text);
  };
  const hours = number("hours");
  return {
    minutes: hours === undefined ? number("minutes") ?? DEFAULT_MINUTES : hours * 60,
    seed: Math.floor(number("seed") ?? Math.random() * 2 ** 16),
  };
}
