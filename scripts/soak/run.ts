/**
 * The soak itself: a relay at work, cuts, samples, and what grew.
 *
 * @module
 */

import { forgetChildren } from "../../tests/rig/processes/child.ts";
import { CUT_KINDS, type CutKind } from "../../tests/rig/cuts/cuts.ts";
import type { Daemon } from "../../tests/rig/processes/daemons.ts";
import { ResumeMachines } from "../../tests/rig/machines/resume_machines.ts";
import { plannedCuts } from "../chaos/plan.ts";
import { pause } from "../../tests/rig/wait.ts";
import { Random } from "../../tests/rig/random.ts";
import { growth, MinuteLow, type Sample, slope } from "./samples.ts";

/** Most that the memory of a daemon may grow in an hour, in bytes. */
export const MAX_MEMORY_GROWTH = 16 * 1024 * 1024;

/** Most that its descriptors may grow in an hour. */
export const MAX_DESCRIPTOR_SLOPE = 4;

/** The part of the time, at the beginning, that no slope of descriptors is made from. */
const WARM_UP = 1 / 2;

/** Clients at once, and what each moves: little, so that the machine can do something else. */
const LOAD = { lanes: 5, size: 2_000_000, rate: 100_000, leaving: 12 };

/** Longest time between two cuts, in milliseconds. */
const MAX_GAP_MS = 20_000;

/** Between two looks at the daemons, in milliseconds. */
const LOOK_MS = 2_000;

const MINUTE_MS = 60_000;

/** Longest time that the transfers which run may take in the end, in milliseconds. */
const FINISH_MS = 120_000;

/** Runs it. @returns what went wrong, in words. */
export async function soak(
  { minutes, seed }: { readonly minutes: number; readonly seed: number },
  say: (line: string) => void,
): Promise<string[]> {
  await using machines = await ResumeMachines.start({ seed });
  await using transfers = machines.transfers({ seed, rounds: null, ...LOAD });
  await transfers.flowing();
  const faults: string[] = [];
  const since = performance.now();
  const until = since + minutes * MINUTE_MS;
  let cuts = 0;
  let over = false;
  const cutting = (async () => {
    const random = new Random(seed);
    for (const { kind, hold } of plannedCuts(seed, Object.keys(CUT_KINDS) as CutKind[])) {
      const next = performance.now() + random.upTo(MAX_GAP_MS);
      while (!over && performance.now() < next) await pause(100);
      if (over) return;
      await machines.cuts.cut(kind, hold);
      cuts++;
      forgetChildren();
    }
  })().catch((error: unknown) => {
    faults.push(`cut ${cuts + 1}: ${error instanceof Error ? error.message : error}`);
  });
  const daemons = [
    { name: "server", low: new MinuteLow(), daemon: machines.server as Daemon },
    { name: "device", low: new MinuteLow(), daemon: machines.device },
  ];
  say("minute  server: RSS KiB, descriptors  device: RSS KiB, descriptors  cuts  transfers  losses");
  for (let minute = 1; minute <= minutes && faults.length === 0; minute++) {
    const end = Math.min(until, since + minute * MINUTE_MS);
    while (performance.now() < end) {
      for (const { daemon, low } of daemons) low.saw(look(daemon));
      await pause(LOOK_MS);
    }
    const cells = daemons.map(({ name, low }) => {
      const { memory, descriptors } = low.next((performance.now() - since) / 3_600_000);
      return `${name} ${Math.round(memory / 1024)} ${descriptors}`;
    });
    say([minute, ...cells, cuts, transfers.lines.length, transfers.losses.length].join("  "));
    faults.push(...transfers.losses, ...machines.cuts.lost);
  }
  over = true;
  await cutting;
  await transfers.finish(FINISH_MS);
  faults.push(...transfers.losses, ...machines.cuts.lost);
  for (const { name, low: { samples } } of daemons) {
    const settled = samples.slice(Math.floor(samples.length * WARM_UP));
    const memory = growth(samples.map(({ hour, memory }) => [hour, memory]));
    const descriptors = slope(settled.map(({ hour, descriptors }) => [hour, descriptors]));
    say(`${name}: ${(memory / 1024).toFixed(0)} KiB an hour, ${descriptors.toFixed(2)} descriptors an hour`);
    if (memory > MAX_MEMORY_GROWTH) {
      faults.push(`the memory of the ${name} grows by ${Math.round(memory)} bytes an hour`);
    }
    if (descriptors > MAX_DESCRIPTOR_SLOPE) faults.push(`the descriptors of the ${name} grow: ${descriptors} an hour`);
  }
  return [...new Set(faults)];
}

function look(daemon: Daemon): Omit<Sample, "hour"> {
  const status = Deno.readTextFileSync(`/proc/${daemon.child.pid}/status`);
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status)!;
  return { memory: Number(kilobytes) * 1024, descriptors: daemon.descriptors };
}
