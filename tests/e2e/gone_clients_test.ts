/**
 * Clients that are gone without a word.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isNative } from "../rig/engine.ts";
import { processTest } from "../rig/processes/harness.ts";
import { RESUME_NEEDS, ResumeMachines } from "../rig/machines/resume_machines.ts";

processTest(
  "v2: a client whose cable is pulled with bytes under way to it is ended in seconds",
  RESUME_NEEDS,
  async () => {
    if (!isNative) return; // there the kernel's times hold: a quarter of an hour
    await using machines = await ResumeMachines.start({ server: ["--tcp-keep-alive", "2s"] });
    await using transfers = machines.transfers({ seed: 3, lanes: 1, rounds: 1, size: 100_000_000, rate: 1_000_000 });
    await transfers.flowing();
    await machines.net.run("client", "ip", "link", "set", "cable", "down");
    const ended = await machines.server.logged(/^client .* ended/);
    assert.equal(ended["reason"], "client-reset");
    assert.ok(Number(ended["duration"]) < 15_000, `it took ${ended["duration"]} ms`);
  },
);
