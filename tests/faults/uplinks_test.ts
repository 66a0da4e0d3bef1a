/**
 * A device with two ways out that are named by `--via`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isNative } from "../rig/engine.ts";
import { DEVICE_ADDRESS } from "../rig/machines/namespaces.ts";
import { TwoMachines } from "../rig/machines/two_machines.ts";
import { processTest } from "../rig/processes/harness.ts";

const NEEDS = ["network namespaces (root, ip, nft)"] as const;
const KEEP_ALIVE = ["--idle-timeout", "1s", "--probe-interval", "1s", "--probe-count", "2"];

processTest(
  "a device dials by the first of its uplinks that works, and by an earlier one when that is there",
  NEEDS,
  async () => {
    if (!isNative) return;
    await using machines = await TwoMachines.start({
      service: "echo",
      server: KEEP_ALIVE,
      device: [...KEEP_ALIVE, "--via", "spare", "--via", "cable"],
    });
    const { net, device } = machines;
    const fact = async (from: number) => String((await device.logged(/^link up/, from))["local"]).split(":")[0];
    await device.logged(/^cannot dial via spare: there is no such interface now; via cable now$/);
    assert.equal(await fact(0), DEVICE_ADDRESS);
    const spare = await net.laySpare();
    let from = device.child.stderr.length;
    await net.cut();
    assert.equal(await fact(from), spare);
    await machines.opened(2);
    await machines.sessionWorks();
    await net.heal();
    from = device.child.stderr.length;
    await net.run("device", "ip", "link", "set", "spare", "down");
    await device.logged(/^cannot dial via spare: Network is unreachable; via cable now$/, from);
    assert.equal(await fact(from), DEVICE_ADDRESS);
  },
);
