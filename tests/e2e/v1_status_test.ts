/**
 * `status` of a server and a device of v1 alone, in processes of their own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { processTest } from "../rig/processes/harness.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";

processTest(
  "v1: status shows the forwards at the server and the services at the device, with their clients",
  [],
  async () => {
    using folder = new TempFolder();
    const state = ["--state", folder.path];
    const admin = [...state, "--admin", "unix"];
    await using echo = echoService();
    const service = `127.0.0.1:${echo.port}`;
    await using relay = await V1Relay.start([service], { server: admin, device: admin });
    using client = await Stream.connect(relay.hostPort);
    await client.write("x");
    await client.read(1);
    const atServer = (await succeed("server", ["status", ...state])).join("\n");
    assert.match(
      atServer,
      new RegExp(
        `^listens +\\S+ v1 plain, linked: .*\\nservice +127\\.0\\.0\\.1:${relay.hostPort} -> ${service}, 1 client$`,
        "m",
      ),
    );
    assert.match(
      (await succeed("device", ["status", ...state])).join("\n"),
      new RegExp(`^service +${service}, 1 client$`, "m"),
    );
    for (const task of [["devices"], ["drop", "gw1"], ["drop", "x*"], ["clients", "gw1"]]) {
      const { stderr } = await outcome("server", [...task, ...state]);
      assert.match(stderr, /v1 has no devices by name: "server status" shows its links and services/, task.join(" "));
    }
    relay.device.child.signal("SIGTERM");
    await relay.device.child.end();
    await relay.server.logged(/^link down/);
    assert.match(
      (await succeed("server", ["status", ...state])).join("\n"),
      / -> \S+, \d clients?; opens with its device$/m,
    );
  },
);
