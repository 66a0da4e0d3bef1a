/**
 * A server's webhook, as it comes about with a real device and a real receiver.
 *
 * @module
 */

import assert from "node:assert/strict";
import { processTest } from "../rig/processes/harness.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { echoRelay } from "../rig/processes/relay.ts";
import { poll } from "../rig/wait.ts";

processTest("a webhook is told of a device that goes for good, and of its return", [], async () => {
  const heard: Record<string, unknown>[] = [];
  const receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    heard.push(await request.json());
    return new Response();
  });
  try {
    const url = `http://127.0.0.1:${receiver.addr.port}/`;
    const server = ["--webhook", url, "--webhook-grace", "200ms", "--expiration", "0s"];
    await using echo = await echoRelay({ server });
    const { relay } = echo;
    await relay.device.child.kill();
    await poll(() => heard.length >= 1, () => "nothing came");
    await using _device = startDevice(["--state", relay.folder.path]);
    await poll(() => heard.length >= 2, () => JSON.stringify(heard));
    assert.deepEqual(heard.map(({ event, device }) => [event, device]), [
      ["device-offline", "gw1"],
      ["device-online", "gw1"],
    ]);
  } finally {
    await receiver.shutdown();
  }
});
