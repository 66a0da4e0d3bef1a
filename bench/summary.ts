/**
 * From samples to medians, ratios and the expectations that they have to meet.
 *
 * @module
 */

import type { Sample } from "./measures.ts";
import { METRIC_NAMES, METRICS } from "./metrics.ts";
import { figure, median } from "./numbers.ts";

/** Medians by the names of targets. */
export type Medians = ReadonlyMap<string, Sample>;

/** Medians over the rounds of each target, and the round trip that each adds to the direct one. */
export function summarize(rounds: ReadonlyMap<string, readonly Sample[]>): Medians {
  const medians = new Map<string, Sample>();
  for (const [target, samples] of rounds) {
    const summary: Sample = {};
    for (const name of METRIC_NAMES) {
      const value = median(samples.flatMap((sample) => sample[name] ?? []));
      if (value !== undefined) summary[name] = value;
    }
    medians.set(target, summary);
  }
  const base = medians.get("direct")?.rtt50;
  for (const [target, summary] of medians) {
    if (target !== "direct" && base !== undefined && summary.rtt50 !== undefined) summary.added = summary.rtt50 - base;
  }
  return medians;
}

/** What every target reaches of what `base` reaches. */
export function ratiosTo(base: string, medians: Medians): Medians {
  const of = medians.get(base) ?? {};
  const ratios = new Map<string, Sample>();
  for (const [target, summary] of medians) {
    if (target === base) continue;
    const row: Sample = {};
    for (const name of METRIC_NAMES) {
      const [value, unit] = [summary[name], of[name]];
      if (METRICS[name].ratio && value !== undefined && unit !== undefined && unit > 0) row[name] = value / unit;
    }
    ratios.set(target, row);
  }
  return ratios;
}

/** An expectation and what came of it. */
export interface Verdict {
  /** What is expected. */
  readonly expectation: string;
  /** Whether it is met; unknown if one side of it was not measured. */
  readonly pass: boolean | undefined;
  /** The figure, in words. */
  readonly figure: string;
}

/** The expectations of the first release, on 2 cores. */
export function judge(medians: Medians): Verdict[] {
  const ours = medians.get("sallyport v1") ?? {};
  const direct = medians.get("direct") ?? {};
  const ssh = medians.get("ssh -R") ?? {};
  const verdicts: Verdict[] = [];
  const atLeast = (what: string, factor: number, of: string, value?: number, base?: number) => {
    const known = value !== undefined && base !== undefined;
    verdicts.push({
      expectation: `${what} ≥ ${factor} × ${of}`,
      pass: known ? value >= factor * base : undefined,
      figure: known ? `${figure(value / base, 3)} ×` : "not measured",
    });
  };
  const throughputs = { up: "throughput up", down: "throughput down", streams: "throughput of 8 streams" } as const;
  for (const name of ["up", "down", "streams"] as const) {
    atLeast(throughputs[name], 0.4, "direct", ours[name], direct[name]);
    atLeast(throughputs[name], 2, "ssh -R", ours[name], ssh[name]);
  }
  const known = ours.added !== undefined && ssh.added !== undefined;
  verdicts.push({
    expectation: "added round trip ≤ that of ssh -R",
    pass: known ? ours.added! <= ssh.added! : undefined,
    figure: known ? `${figure(ours.added, 0)} µs against ${figure(ssh.added, 0)} µs` : "not measured",
  });
  atLeast("new connections", 10, "ssh -R", ours.connections, ssh.connections);
  return verdicts;
}
