/**
 * Transfers in both directions through cuts of every kind.
 *
 * @module
 */

import { forgetChildren } from "../../tests/rig/processes/child.ts";
import type { CutOutcome } from "../../tests/rig/cuts/cuts.ts";
import { ResumeMachines } from "../../tests/rig/machines/resume_machines.ts";
import { type ChaosOptions, plannedCuts } from "./plan.ts";
import { cutTable, transferSummary } from "./report.ts";

/** Cuts of a full run. */
const FULL_RUN = 1_000;

/** Clients at once: some with much to carry, some that come and go. */
const LANES = 6;

/** Bytes of the largest transfer and bytes a second of each client, each way; one in twelve leaves in the middle. */
const LOAD = { size: 12_000_000, rate: 1_500_000, leaving: 12 };

/** Longest time that the transfers which run may take in the end, in milliseconds. */
const FINISH_MS = 60_000;

/** Cuts between two lines about how far it is. */
const TELL_EVERY = 25;

/** Runs it. @returns what went wrong, in words. */
export async function chaosTransfers(options: ChaosOptions, say: (line: string) => void): Promise<string[]> {
  const { seed, minutes, kinds } = options;
  const cuts = options.cuts ?? (minutes === Infinity ? FULL_RUN : Infinity);
  await using machines = await ResumeMachines.start({ seed });
  const { server, device } = machines;
  const before = { server: server.descriptors, device: device.descriptors };
  await using transfers = machines.transfers({ seed, lanes: LANES, rounds: null, ...LOAD });
  await transfers.flowing();
  const outcomes: CutOutcome[] = [];
  const faults: string[] = [];
  const carriedBefore = machines.cuts.carried;
  const since = performance.now();
  const until = since + minutes * 60_000;
  for (const { kind, hold, gap } of plannedCuts(seed, kinds)) {
    if (outcomes.length >= cuts || performance.now() > until || faults.length > 0) break;
    await new Promise((resolve) => setTimeout(resolve, gap)); // so that the next cut finds the link in any phase
    try {
      outcomes.push(await machines.cuts.cut(kind, hold));
    } catch (error) {
      faults.push(`cut ${outcomes.length + 1}, ${kind}: ${error instanceof Error ? error.message : error}`);
    }
    faults.push(...machines.cuts.lost, ...transfers.losses);
    forgetChildren(); // each cut has started some
    if (outcomes.length % TELL_EVERY === 0) {
      say(`${outcomes.length} cuts, ${transfers.lines.length} transfers, ${faults.length} losses`);
    }
  }
  const seconds = Math.round((performance.now() - since) / 1_000);
  const lines = await transfers.finish(FINISH_MS).catch((error: Error) => {
    faults.push(error.message);
    return transfers.lines;
  });
  faults.push(...transfers.losses, ...machines.cuts.lost);
  for (const [daemon, count] of [[server, before.server], [device, before.device]] as const) {
    await daemon.descriptorsBackTo(count).catch((error: Error) =>
      faults.push(`${daemon.child.name}: ${error.message}`)
    );
  }
  say("");
  for (const line of cutTable(outcomes)) say(line);
  say("");
  say(transferSummary(lines));
  say(`${outcomes.length} cuts in ${seconds} s; the link carried ${machines.cuts.carried - carriedBefore} bytes`);
  return [...new Set(faults)];
}
