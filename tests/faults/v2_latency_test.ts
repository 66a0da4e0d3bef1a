/**
 * A typist beside a bulk transfer on a link of 10 Mbit/s: keys do not wait behind the bulk.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { find } from "../rig/processes/programs.ts";
import { V2Machines } from "../rig/machines/v2_machines.ts";

/** As in "2 × idle + 20 ms", and what a loaded machine adds: the bench is exact. */
const EXTRA_MS = 20 + 40;

/** Keys that are typed. */
const KEYS = 120;

for (const way of ["down", "up"] as const) {
  processTest(
    `on a 10 Mbit/s link a byte beside a bulk transfer ${way} does not wait behind it, and the bulk has most of the link`,
    ["network namespaces (root, ip, nft)", "tc"],
    async () => {
      await using machines = await V2Machines.start({ service: "mixed" });
      const { net } = machines;
      for (const end of ["outside", "inside"]) {
        const limit = ["rate", "10mbit", "burst", "16kb", "limit", "1mb"];
        await net.run("router", find("tc")!, "qdisc", "add", "dev", end, "root", "tbf", ...limit);
      }
      const idle = await typist(machines);
      await using bulk = machines.client("measure", way);
      await bulk.line(/^flowing$/);
      const busy = await typist(machines);
      bulk.signal("SIGTERM");
      const [, rate] = await bulk.line(/^rate (\d+)$/);
      const [p99, bound] = [quantile(busy, 0.99), 2 * quantile(idle, 0.99) + EXTRA_MS];
      assert.ok(p99 <= bound, `p99 is ${p99} ms beside the bulk, ${quantile(idle, 0.99)} ms without`);
      assert.ok(Number(rate) >= 0.8 * 10_000_000 / 8, `the bulk had ${rate} bytes a second`);
    },
  );
}

async function typist(machines: V2Machines): Promise<number[]> {
  await using client: Child = machines.client("ping", String(KEYS));
  const [text] = await client.line(/^\[.*\]$/);
  return JSON.parse(text) as number[];
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
