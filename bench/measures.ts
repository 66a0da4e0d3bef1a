/**
 * What is measured, and how: each measure takes its samples of one target.
 *
 * @module
 */

import { pause } from "./child.ts";
import type { LoadReport } from "./load.ts";
import type { MetricName } from "./metrics.ts";
import { cpuSeconds, residentBytes } from "./proc_stats.ts";
import { reportOf, runLoad, startLoad } from "./processes.ts";
import type { RunningTarget, Target, TargetContext } from "./target.ts";
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
  /** What targets are started with. */
  readonly context: TargetContext;
  /** The target in front of a service; it is kept at work from round to round. */
  running(target: Target, servicePort: number): Promise<RunningTarget>;
}

/** A measure, by name. */
export interface Measure {
  /** Its name in progress lines and for `--only`. */
  readonly name: string;
  /** Takes one sample, or none where the target has nothing to measure. */
  take(target: Target, bench: Bench): Promise<Sample>;
}

const CALLERS = 8;
const PLAYERS = 64;
const IDLE_CLIENTS = 200;

/** Milliseconds for memory to come to rest. */
const REST = 1000;

/** All measures, in the order in which a round takes them. */
export const MEASURES: readonly Measure[] = [
  { name: "throughput", take: throughput },
  { name: "round-trips", take: roundTrips },
  { name: "ping-pong", take: pingPong },
  { name: "connections", take: connections },
  { name: "memory", take: memory },
  { name: "start-up", take: startUp },
];

async function throughput(target: Target, bench: Bench): Promise<Sample> {
  const { hostPort, pids } = await bench.running(target, bench.throughput.servicePort);
  const move = (direction: "up" | "down", streams: number) =>
    bench.throughput.transfer(hostPort, direction, streams, bench.seconds);
  const before = cpuSeconds(pids);
  const up = await move("up", 1);
  const down = await move("down", 1);
  const streams = await move("up", 8);
  const after = cpuSeconds(pids);
  const sample = {
    up: up.bitsPerSecond / 1e9,
    down: down.bitsPerSecond / 1e9,
    streams: streams.bitsPerSecond / 1e9,
  };
  if (before === undefined || after === undefined) return sample;
  return { ...sample, cpuPerGB: (after - before) / ((up.bytes + down.bytes + streams.bytes) / 1e9) };
}

async function roundTrips(target: Target, bench: Bench): Promise<Sample> {
  const { p50, p99 } = await load("round-trips", 1, target, bench);
  return { rtt50: p50! * 1000, rtt99: p99! * 1000 };
}

async function pingPong(target: Target, bench: Bench): Promise<Sample> {
  const { rate } = await load("round-trips", PLAYERS, target, bench);
  return { pingPong: rate };
}

async function connections(target: Target, bench: Bench): Promise<Sample> {
  const { rate, p99 } = await load("connections", CALLERS, target, bench);
  return { connections: rate, connection99: p99! };
}

async function load(kind: string, count: number, target: Target, bench: Bench): Promise<LoadReport> {
  const { hostPort } = await bench.running(target, bench.echoPort);
  const report = await runLoad(kind, hostPort, bench.seconds, count);
  noteFailures(`${target.name}, ${kind} by ${count}`, report, bench.context);
  if (report.p50 === undefined) throw new Error(`${kind}: none came to its end`);
  return report;
}

/** Of an instance that has not been used before. */
async function memory(target: Target, bench: Bench): Promise<Sample> {
  const instance = await target.start(bench.echoPort, bench.context);
  try {
    await pause(instance.pids.length > 0 ? REST : 0);
    const atRest = residentBytes(instance.pids);
    if (atRest === undefined) return {};
    const clients = startLoad("idle", instance.hostPort, 0, IDLE_CLIENTS);
    try {
      await clients.line(/^ready /, 30_000);
      await pause(REST);
      const loaded = residentBytes(instance.pids)!;
      return { memory: atRest / 1e6, memoryPerClient: (loaded - atRest) / IDLE_CLIENTS / 1e3 };
    } finally {
      await clients.closeInput();
      await clients.ended;
      noteFailures(`${target.name}, ${IDLE_CLIENTS} idle clients`, reportOf(clients), bench.context);
    }
  } finally {
    await instance.stop();
  }
}

async function startUp(target: Target, bench: Bench): Promise<Sample> {
  return await target.startUp?.(bench.context) ?? {};
}

function noteFailures(what: string, { failed, errors }: LoadReport, { note }: TargetContext): void {
  if (failed === 0) return;
  for (const [error, count] of Object.entries(errors)) note(`${what}: failed with ${error}`, count);
}
