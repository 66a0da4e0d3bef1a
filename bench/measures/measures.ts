/**
 * What is measured, and how: each measure takes its samples of one target.
 *
 * @module
 */

import { cableLacks } from "../cable.ts";
import type { LoadReport } from "../load/main.ts";
import type { Bench, Measure, Sample } from "./measure.ts";
import { noteFailures } from "./measure.ts";
import { latency, latencyOverLink } from "./latency.ts";
import { crowd, crowdLacks, memory } from "./memory.ts";
import { resume, resumeLacks } from "./resume.ts";
import { anonymousBytes, cpuSeconds } from "../../tests/rig/processes/proc_stats.ts";
import { runLoad } from "../processes.ts";
import type { Target } from "../targets/target.ts";

const CALLERS = 8;
const PLAYERS = 64;

/** All measures, in the order in which a round takes them. */
export const MEASURES: readonly Measure[] = [
  { name: "throughput", take: throughput },
  { name: "round-trips", take: roundTrips },
  { name: "ping-pong", take: pingPong },
  { name: "connections", take: connections },
  { name: "latency", take: latency },
  { name: "start-up", take: startUp },
  { name: "memory", once: true, take: memory },
  { name: "crowd", once: true, long: true, needs: crowdLacks, take: crowd },
  { name: "link", once: true, needs: cableLacks, take: latencyOverLink },
  { name: "resume", once: true, needs: resumeLacks, take: resume },
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
  return { ...sample, ...loaded(pids), cpuPerGB: (after - before) / ((up.bytes + down.bytes + streams.bytes) / 1e9) };
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
  const { pids } = await bench.running(target, bench.echoPort, "connections");
  const before = cpuSeconds(pids);
  const { rate, p99, count = 0 } = await load("connections", CALLERS, target, bench);
  const after = cpuSeconds(pids);
  const sample = { connections: rate, connection99: p99! };
  if (before === undefined || after === undefined) return sample;
  return { ...sample, cpuPerConnection: (after - before) / count * 1e6 };
}

/** What the larger of its processes holds after a load. */
function loaded(pids: readonly number[]): Sample {
  const bytes = anonymousBytes(pids);
  return bytes === undefined ? {} : { anonymousLoaded: bytes / 1e6 };
}

async function load(kind: string, count: number, target: Target, bench: Bench): Promise<LoadReport> {
  const { hostPort: port, host } = await bench.running(target, bench.echoPort, kind);
  const report = await runLoad(kind, { port, host }, bench.seconds, count);
  noteFailures(`${target.name}, ${kind} by ${count}`, report, bench.context);
  if (report.p50 === undefined) throw new Error(`${kind}: none came to its end`);
  return report;
}

async function startUp(target: Target, bench: Bench): Promise<Sample> {
  return await target.startUp?.(bench.context) ?? {};
}
