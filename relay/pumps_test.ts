import assert from "node:assert/strict";
import type { ChannelPump } from "./channel_pump.ts";
import { boundLeaving } from "./pumps.ts";
import { MAX_LEAVING_CHANNELS } from "../net/limits.ts";
import { test } from "../tests/rig/test.ts";

/** Pumps in their order, of which those at `open` have an open channel; and which were ended, by their index. */
function pumps(
  count: number,
  open: ReadonlySet<number>,
  service: (at: number) => string = () => "one",
): { all: Map<ChannelPump, string>; ended: number[] } {
  const ended: number[] = [];
  const all = new Map(Array.from({ length: count }, (_, at) => {
    const pump = {
      channel: { open: open.has(at) },
      abort: (reason: string) => ended.push(reason === "stalled" ? at : -1),
    };
    return [pump as unknown as ChannelPump, service(at)] as const;
  }));
  return { all, ended };
}

test("as many as may leave are left alone", () => {
  const { all, ended } = pumps(MAX_LEAVING_CHANNELS + 2, new Set([0, 7]));
  boundLeaving(all, 2);
  assert.deepEqual(ended, []);
});

test("beyond that the oldest that are leaving are ended, and no open one", () => {
  const { all, ended } = pumps(MAX_LEAVING_CHANNELS + 5, new Set([0, 2]));
  boundLeaving(all, 2);
  assert.deepEqual(ended, [1, 3, 4]);
});

test("the clients of one service that read nothing do not cost those of another what came for them", () => {
  const { all, ended } = pumps(MAX_LEAVING_CHANNELS + 2, new Set(), (at) => at < 3 ? "slow" : "flooded");
  boundLeaving(all, 0);
  assert.deepEqual(ended, [3, 4]);
});
