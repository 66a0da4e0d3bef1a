/**
 * Stock clients through the loss of the device's link: each stalls, goes on, and ends with the right data.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CUT_CLIENTS } from "../rig/cuts/cut_clients.ts";
import { processTest } from "../rig/processes/harness.ts";
import { RESUME_NEEDS } from "../rig/machines/resume_machines.ts";

/** Cuts that each client goes through here; `deno task chaos -- --clients` has more of them, and more data. */
const CUTS = 5;

/** A client is quick, and may be done before the last cuts: so many have to have happened. */
const LEAST_CUTS = 2;

const SIZE = 64_000_000;

for (const { name, needs, run } of CUT_CLIENTS) {
  processTest(`v2: ${name} goes on through cuts of the device's link`, [...RESUME_NEEDS, ...needs], async () => {
    const outcomes = await run({ cuts: CUTS, size: SIZE, ms: 50_000 });
    assert.ok(outcomes.length >= LEAST_CUTS, `${outcomes.length} cuts`);
  });
}
