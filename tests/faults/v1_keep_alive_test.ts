/**
 * A v1 link that dies without a word is found by TCP itself, whether the peer answers knocks or not: idle, and under load.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isNative } from "../rig/engine.ts";
import { TwoMachines, type TwoMachinesOptions } from "../rig/machines/two_machines.ts";
import { processTest } from "../rig/processes/harness.ts";

const NEEDS = ["network namespaces (root, ip, nft)"] as const;
const KEEP_ALIVE = ["--idle-timeout", "1s", "--probe-interval", "1s", "--probe-count", "2"];
const NO_KEEP_ALIVE = ["--probe-count", "0"];

/** The pace finds it after 3 s; with bytes under way it is looked at every quarter of that, on a machine that may be busy. */
const IDLE_MS = 3_000;
const LOADED_MS = 3_750;
const SLACK_MS = 700;

/** Starts a relay, cuts its path once `begin` is done, and expects `end` to tell the end of the link within its time. */
async function cutAndTimed(
  options: TwoMachinesOptions,
  begin: (machines: TwoMachines) => Promise<AsyncDisposable | void>,
  end: (machines: TwoMachines) => Promise<unknown>,
  bound: number,
): Promise<void> {
  if (!isNative) return; // there the kernel's times hold
  await using machines = await TwoMachines.start(options);
  await using _client = await begin(machines) ?? undefined;
  await machines.net.cut();
  const since = performance.now();
  await end(machines);
  const took = Math.round(performance.now() - since);
  assert.ok(took > 1_000 && took < bound + SLACK_MS, `it took ${took} ms`);
  await machines.net.heal();
}

async function serverDown({ server }: TwoMachines): Promise<void> {
  assert.equal((await server.logged(/^link down/))["reason"], "keep-alive-timeout");
}

function deviceLost({ device }: TwoMachines): Promise<unknown> {
  return device.child.line(/^lost .* keep-alive-timeout$/);
}

/** Bulk flows. */
const flows = (does: "pour" | "take") => async (machines: TwoMachines): Promise<AsyncDisposable> => {
  const client = machines.client(does);
  await client.line(/^flowing$/);
  return client;
};

processTest("v1: a server finds a device that vanished from an idle link", NEEDS, async () => {
  await cutAndTimed(
    { service: "echo", server: KEEP_ALIVE, device: NO_KEEP_ALIVE },
    async (machines) => {
      await machines.sessionWorks();
      await machines.server.logged(/^client .* ended/);
    },
    serverDown,
    IDLE_MS,
  );
});

processTest("v1: a server finds a device that vanished under a bulk transfer to it", NEEDS, async () => {
  const options = { service: "sink", server: KEEP_ALIVE, device: NO_KEEP_ALIVE } as const;
  await cutAndTimed(options, flows("pour"), serverDown, LOADED_MS);
});

processTest("v1: a device finds a server that vanished under a bulk transfer to it", NEEDS, async () => {
  const options = { service: "source", server: NO_KEEP_ALIVE, device: KEEP_ALIVE } as const;
  await cutAndTimed(options, flows("take"), deviceLost, LOADED_MS);
});

processTest("v1: a device finds a server that vanished under a bulk transfer from it", NEEDS, async () => {
  const options = { service: "sink", server: NO_KEEP_ALIVE, device: KEEP_ALIVE } as const;
  await cutAndTimed(options, flows("pour"), deviceLost, IDLE_MS);
});

processTest("v1: a peer that stands still under load, and answers, is kept", NEEDS, async () => {
  if (!isNative) return;
  await using machines = await TwoMachines.start({
    service: "sink",
    server: [...KEEP_ALIVE, "--link-write-timeout", "8s"],
    device: NO_KEEP_ALIVE,
  });
  await using client = machines.client("pour");
  await client.line(/^flowing$/);
  Deno.kill(machines.device.child.pid, "SIGSTOP"); // its system goes on
  const since = performance.now();
  const down = await machines.server.logged(/^link down/);
  Deno.kill(machines.device.child.pid, "SIGCONT");
  assert.equal(down["reason"], "write-timeout");
  assert.ok(performance.now() - since > 6_000);
});
