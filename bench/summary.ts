/**
 * From samples to medians and ratios.
 *
 * @module
 */

import type { Sample } from "./measures/measure.ts";
import { METRIC_NAMES, METRICS } from "./measures/metrics.ts";
import { median } from "./numbers.ts";

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
