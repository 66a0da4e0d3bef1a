/**
 * What a measure is, and what it has at hand.
 *
 * @module
 */

import type { Cable } from "../cable.ts";
import type { LoadReport } from "../load/main.ts";
import type { MetricName } from "./metrics.ts";
import type { Service } from "../processes.ts";
import type { RunningTarget, Target, TargetContext } from "../targets/target.ts";
import type { Throughput } from "./throughput.ts";

/** One sample of some metrics. */
export type Sample = Partial<Record<MetricName, number>>;

/** What a measure has at hand. */
export interface Bench {
  /** How long each timed part takes. */
  readonly seconds: number;
  /** The service and client for bulk transfers. */
  readonly throughput: Throughput;
  /** The port of the echo service. */
  readonly echoPort: number;
  /** The service for echoes beside bulk transfers. */
  readonly mixed: Service;
  /** What targets are started with. */
  readonly context: TargetContext;
  /**
   * The target in front of a service; it is kept at work from round to round. It has carried loads of this `kind` before,
   * and of no other kind before the first one's measure: what connections leave behind would be part of a round trip.
   */
  running(target: Target, servicePort: number, kind?: string): Promise<RunningTarget>;
  /** Two machines with a slow cable, made at first use. */
  cable(): Promise<Cable>;
}

/** A measure, by name. */
export interface Measure {
  /** Its name in progress lines and for `--only`. */
  readonly name: string;
  /** Whether it is taken in the first round only: it varies little, or takes long. */
  readonly once?: true;
  /** Whether a quick run leaves it out. */
  readonly long?: true;
  /** What this machine lacks for it; it is left out then. */
  needs?(): string | undefined;
  /** Takes one sample, or none where the target has nothing to measure. */
  take(target: Target, bench: Bench): Promise<Sample>;
}

/** Takes note of clients that failed. */
export function noteFailures(what: string, { failed, errors }: LoadReport, { note }: TargetContext): void {
  if (failed === 0) return;
  for (const [error, count] of Object.entries(errors)) note(`${what}: failed with ${error}`, count);
}
