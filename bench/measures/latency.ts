/**
 * What a typist waits while a bulk transfer runs on the same link, in another channel.
 *
 * @module
 */

import { CABLE_BITS } from "../cable.ts";
import { pause } from "../../tests/rig/wait.ts";
import type { LoadReport } from "../load/main.ts";
import { FLOWING } from "../load/bulk.ts";
import { type Bench, noteFailures, type Sample } from "./measure.ts";
import { finishLoad, type LoadRoute, runLoad, type Service, startLoad, startService } from "../processes.ts";
import { BULK_ENDED } from "../service.ts";
import type { Target } from "../targets/target.ts";

/** Typists at once on loopback, so that short parts have messages enough for a 99th percentile. */
const TYPISTS = 4;

/** Seconds of bulk before the typists start, and after they have ended. */
const LEAD = 0.25;

/** Parts over the link are so much longer than the timed parts of others: there is one typist, and one round. */
const LINK_FACTOR = 1.5;

/** Milliseconds for what a bulk transfer has left in queues to drain. */
const DRAIN = 15_000;

/** On loopback. */
export async function latency(target: Target, bench: Bench): Promise<Sample> {
  const { hostPort: port, host } = await bench.running(target, bench.mixed.port);
  const what = `${target.name}, typists`;
  const found = await measure({ port, host }, bench.mixed, Math.max(1, bench.seconds / 2), TYPISTS, (report) => {
    noteFailures(what, report, bench.context);
  });
  return {
    idle50: found.idle.p50!,
    idle99: found.idle.p99!,
    up50: found.up.p50!,
    up99: found.up.p99!,
    upBulk: found.up.bits / 1e9,
    down50: found.down.p50!,
    down99: found.down.p99!,
    downBulk: found.down.bits / 1e9,
  };
}

/** Over the slow cable between two machines. */
export async function latencyOverLink(target: Target, bench: Bench): Promise<Sample> {
  const { server, device } = await bench.cable();
  const service = await startService("bulk", device);
  try {
    const instance = await target.start(service.port, { ...bench.context, server, device });
    try {
      const route = { port: instance.hostPort, host: instance.host, from: server };
      const found = await measure(route, service, bench.seconds * LINK_FACTOR, 1, (report) => {
        noteFailures(`${target.name}, typist over the link`, report, bench.context);
      });
      return {
        linkIdle50: found.idle.p50!,
        linkIdle99: found.idle.p99!,
        linkUp50: found.up.p50!,
        linkUp99: found.up.p99!,
        linkUpBulk: found.up.bits / CABLE_BITS * 100,
        linkDown50: found.down.p50!,
        linkDown99: found.down.p99!,
        linkDownBulk: found.down.bits / CABLE_BITS * 100,
      };
    } finally {
      await instance.stop();
    }
  } finally {
    await service.child.stop();
  }
}

type Typed = Pick<LoadReport, "p50" | "p99">;

/** Typists alone, then beside a stream up, then beside one down. */
async function measure(
  route: LoadRoute,
  service: Service,
  seconds: number,
  typists: number,
  look: (report: LoadReport) => void,
): Promise<{ idle: Typed; up: Typed & { bits: number }; down: Typed & { bits: number } }> {
  const type = async () => {
    const report = await runLoad("typing", route, seconds, typists);
    look(report);
    if (report.p50 === undefined) throw new Error("typing: no answer");
    return report;
  };
  const beside = async (direction: "up" | "down") => {
    const from = service.child.stdout.length;
    const time = seconds + 2 * LEAD;
    const bulk = startLoad(direction, route, time, 1);
    try {
      await bulk.line(new RegExp(`^${FLOWING}$`));
      await pause(LEAD * 1000);
      const typed = await type();
      const { rate } = await finishLoad(bulk, time);
      await service.child.line(new RegExp(`^${BULK_ENDED}$`), from, DRAIN);
      return { ...typed, bits: rate * 8 };
    } finally {
      await bulk.stop();
    }
  };
  const idle = await type();
  return { idle, up: await beside("up"), down: await beside("down") };
}
