import assert from "node:assert/strict";
import type { ChannelPump } from "./channel_pump.ts";
import { boundLeaving } from "./leaving.ts";
import { MAX_LEAVING_CHANNELS } from "../net/limits.ts";
import { test } from "../tests/rig/test.ts";

/** Pumps in their order, of which those at `open` have an open channel; and which were ended, by their index. */
function pumps(count: number, open: ReadonlySet<number>): { all: Set<ChannelPump>; ended: number[] } {
  const ended: number[] = [];
  const all = new Set(Array.from({ length: count }, (_, at) => {
    const pump = {
      channel: { open: open.has(at) },
      abort: (reason: string) => ended.push(reason === "stalled" ? at : -1),
    };
    return pump as unknown as ChannelPump;
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
