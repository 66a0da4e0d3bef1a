import assert from "node:assert/strict";
import { SLICE_MS } from "../../base/limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { engine } from "../../tests/rig/engine.ts";
import type { Endpoint, Reach } from "./endpoint.ts";
import { connectionPair } from "./pair.ts";
import { reachService } from "./service_reach.ts";

const CLIENT = { client: "192.0.2.1:5", hostAddress: "0.0.0.0:2201" };

/** The way to a service of which each client costs a quarter of a turn's work. */
function costly(clock: FakeClock): { reach: Reach; begun: () => number } {
  let begun = 0;
  const endpoint: Endpoint = {
    address: "costly",
    open: () => ({
      connect() {
        begun++;
        clock.jump(SLICE_MS / 4);
        return Promise.resolve(connectionPair()[0]);
      },
      close() {},
    }),
  };
  const surroundings = {
    engine,
    clock,
    logger: new RecordingLogger(),
    service: "x",
    maxClients: undefined,
  };
  return { reach: reachService(endpoint, {}, surroundings), begun: () => begun };
}

test("of many clients that come at once some are reached in each turn, and all in the end", async () => {
  const { reach, begun } = costly(new FakeClock());
  const never = new AbortController().signal;
  const all = Array.from({ length: 40 }, () => reach.connect(CLIENT, 1_000, never));
  assert.ok(begun() >= 1 && begun() <= 4, `${begun()} were reached at once`);
  for (const conn of await Promise.all(all)) conn.close();
  assert.equal(begun(), 40);
});

test("a client that has gone before its turn came is not reached", async () => {
  const { reach, begun } = costly(new FakeClock());
  const gone = new AbortController();
  const all = Array.from({ length: 20 }, () => reach.connect(CLIENT, 1_000, gone.signal));
  const atOnce = begun();
  gone.abort();
  const ended = await Promise.allSettled(all);
  assert.equal(begun(), atOnce);
  assert.equal(ended.filter(({ status }) => status === "rejected").length, 20 - atOnce);
});
