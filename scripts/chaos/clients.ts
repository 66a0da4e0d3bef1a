/**
 * Real clients through cuts, one after the other.
 *
 * @module
 */

import { forgetChildren } from "../../tests/rig/processes/child.ts";
import { CUT_CLIENTS } from "../../tests/rig/cuts/cut_clients.ts";
import type { CutOutcome } from "../../tests/rig/cuts/cuts.ts";
import { missing } from "../../tests/rig/processes/requirements.ts";
import type { ChaosOptions } from "./plan.ts";
import { cutTable } from "./report.ts";

/** Cuts that each client goes through, unless the command line says otherwise. */
const CUTS = 20;

/** Bytes that each moves, and that `scp` does. */
const SIZE = 200_000_000;
const SCP_SIZE = 1_000_000_000;

/** Longest time for one client, in milliseconds. */
const CLIENT_MS = 600_000;

/** Runs them. @returns what went wrong, in words. */
export async function chaosClients(options: ChaosOptions, say: (line: string) => void): Promise<string[]> {
  const all: CutOutcome[] = [];
  const faults: string[] = [];
  for (const { name, needs, run } of CUT_CLIENTS) {
    const lacking = missing(name, needs);
    if (lacking.length > 0) {
      say(`${name}: left out, as this machine lacks ${lacking.join(", ")}`);
      continue;
    }
    const since = performance.now();
    try {
      const outcomes = await run({ cuts: options.cuts ?? CUTS, size: name === "scp" ? SCP_SIZE : SIZE, ms: CLIENT_MS });
      all.push(...outcomes);
      const seconds = ((performance.now() - since) / 1_000).toFixed(1);
      say(`${name}: whole, through ${outcomes.length} cuts, in ${seconds} s`);
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : error}`);
      say(faults.at(-1)!);
    }
    forgetChildren();
  }
  say("");
  for (const line of cutTable(all)) say(line);
  return faults;
}
