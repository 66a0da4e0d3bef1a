/**
 * The rounds: every measure of every target in turn, so that whatever else happens on the machine hits all alike.
 *
 * @module
 */

import { killChildren } from "../tests/rig/processes/child.ts";
import { type Cable, openCable, removeCables } from "./cable.ts";
import type { Bench, Measure, Sample } from "./measures/measure.ts";
import { METRIC_NAMES, METRICS } from "./measures/metrics.ts";
import { figure } from "./numbers.ts";
import { runLoad, startService } from "./processes.ts";
import type { RunningTarget, Target, TargetContext } from "./targets/target.ts";
import { startThroughput } from "./measures/throughput.ts";

/** What is to be measured. */
export interface Plan {
  /** The targets, none of which lacks anything. */
  readonly targets: readonly Target[];
  readonly measures: readonly Measure[];
  /** How often. */
  readonly rounds: number;
  /** How long each timed part takes. */
  readonly seconds: number;
  /** What targets are started with. */
  readonly context: TargetContext;
  /** Told what goes on. */
  progress(line: string): void;
}

/** What came of it. */
export interface Outcome {
  /** The samples of each target, a round each. */
  readonly rounds: ReadonlyMap<string, readonly Sample[]>;
  /** The program that measured throughput. */
  readonly tool: string;
  /** Measures that could not be taken. */
  readonly failures: readonly string[];
}

/** Seconds of load on a target before it is measured. */
const WARM_UP = 0.5;

export async function run(plan: Plan): Promise<Outcome> {
  const rounds = new Map(
    plan.targets.map(({ name }) => [name, Array.from({ length: plan.rounds }, (): Sample => ({}))]),
  );
  const failures: string[] = [];
  const instances = new Map<string, RunningTarget>();
  const throughput = await startThroughput();
  const echo = await startService("echo");
  const mixed = await startService("bulk");
  let cable: Promise<Cable> | undefined;

  const warm = new Set<string>();
  const running = async (target: Target, servicePort: number, kind?: string) => {
    const key = `${target.name} ${servicePort}`;
    const failure = instances.get(key)?.failure?.();
    if (failure !== undefined) throw new Error(failure);
    const instance = instances.get(key) ?? await target.start(servicePort, plan.context);
    if (!instances.has(key)) {
      instances.set(key, instance);
      if (servicePort === mixed.port) await runLoad("typing", { port: instance.hostPort }, WARM_UP, 1);
      else if (servicePort !== echo.port) await throughput.transfer(instance.hostPort, "up", 1, 1);
    }
    if (kind !== undefined && !warm.has(`${key} ${kind}`)) {
      warm.add(`${key} ${kind}`);
      await runLoad(kind, { port: instance.hostPort }, WARM_UP, 8);
    }
    return instance;
  };
  const bench: Bench = {
    seconds: plan.seconds,
    throughput,
    echoPort: echo.port,
    mixed,
    context: plan.context,
    running,
    cable: () => cable ??= openCable(),
  };

  try {
    for (let round = 0; round < plan.rounds; round++) {
      for (const measure of plan.measures) {
        if (measure.once && round > 0) continue;
        for (const target of rotated(plan.targets, round)) {
          if (target.only?.includes(measure.name) === false) continue;
          const label = `round ${round + 1}/${plan.rounds}  ${measure.name.padEnd(11)}  ${target.name.padEnd(18)}`;
          try {
            const sample = await measure.take(target, bench);
            Object.assign(rounds.get(target.name)![round]!, sample);
            if (Object.keys(sample).length > 0) plan.progress(`${label}  ${inWords(sample)}`);
          } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            failures.push(`${target.name}, ${measure.name}, round ${round + 1}: ${why}`);
            plan.progress(`${label}  FAILED: ${why}`);
          }
        }
      }
    }
    for (const instance of instances.values()) await instance.stop();
    await throughput.stop();
    await echo.child.stop();
    await mixed.child.stop();
  } finally {
    await killChildren();
    await removeCables();
  }
  return { rounds, tool: throughput.tool, failures };
}

/** Another target begins in each round. */
function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function inWords(sample: Sample): string {
  return METRIC_NAMES.filter((name) => sample[name] !== undefined)
    .map((name) => `${METRICS[name].label} ${figure(sample[name], METRICS[name].digits)}`).join("  ");
}
