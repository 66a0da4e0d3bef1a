/**
 * A device that comes back while its old link still looks alive: it takes over at once, and no host port moves.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoSession } from "../rig/processes/session.ts";
import { timed, V2Machines } from "../rig/machines/v2_machines.ts";
import { copyDeviceState, V2Relay } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";

const NEEDS = ["network namespaces (root, ip, nft)", "/proc"] as const;

/** A start of the program and a handshake on a busy machine, in milliseconds: far less than any time-out. */
const ONLINE_MS = 3_000;

processTest("a device that was cut silently and starts again is online in the time of a handshake", NEEDS, async () => {
  const never = { server: ["--probe-count", "0"], device: ["--probe-count", "0"] };
  await using machines = await V2Machines.start(never);
  const { net, server, device, relay } = machines;
  await machines.sessionWorks();
  await server.logged(/^client .* ended/);
  const before = server.descriptors;
  await using held = machines.client("hold");
  await held.line(/^held$/);
  const port = portOf(String((await device.logged(/^link up/))["local"]));
  await net.cut(port);
  await device.child.kill(); // its last words are lost, too, however often they are sent again
  const log = server.child.stderr.length;
  const lines = server.child.stdout.length;
  await using returned = startDevice(["--state", relay.folder.path], { prefix: net.on("device") });
  const took = await timed(returned.child.line(/^service echo /));
  assert.ok(took < ONLINE_MS, `it took ${took} ms`);
  await machines.sessionWorks();
  await held.line(/^ended$/);
  const down = await server.logged(/^link down/, log);
  assert.equal(down["reason"], "replaced");
  const since = server.log.slice(log);
  assert.equal(since.filter(({ message }) => /in use|cannot/i.test(message)).length, 0);
  assert.deepEqual(server.child.stdout.slice(lines), [], "the host port was never closed");
  await held.end();
  await server.descriptorsBackTo(before);
});

processTest(
  "a take-over under the clients' eyes: every connect succeeds, before, meanwhile and after",
  [],
  async () => {
    await using service = echoService();
    await using relay = await V2Relay.start([`echo=127.0.0.1:${service.port}`]);
    let done = false;
    let connects = 0;
    const knocking = (async () => {
      for (; !done; connects++) {
        using client = await Stream.connect(relay.hostPort); // a closed port would refuse it
        await client.write("x").catch(() => {}); // the take-over ends those who are inside
        await client.readSome().catch(() => {});
      }
    })();
    await using second = startDevice(["--state", await copyDeviceState(relay.folder.path)]);
    try {
      await second.child.line(/^service echo /);
      await relay.device.child.line(/^lost .* goodbye replaced$/);
      await relay.device.child.kill();
    } finally {
      done = true;
      await knocking;
    }
    assert.ok(connects > 0);
    await echoSession(relay.hostPort);
  },
);

processTest("two machines with one key do not kick each other off for ever", [], async () => {
  await using service = echoService();
  await using relay = await V2Relay.start([`echo=127.0.0.1:${service.port}`]);
  await using twin = startDevice(["--state", await copyDeviceState(relay.folder.path)]);
  const refused = await relay.server.logged(/^refused .* duplicate/);
  assert.match(
    String(refused["why"]),
    /two machines use the key of gw1: 127\.0\.0\.1:\d+ has it now, 127\.0\.0\.1:\d+ wants it/,
  );
  await Promise.any([relay.device, twin].map((machine) => machine.logged(/duplicate: two machines use the key/)));
  assert.equal(relay.server.log.filter(({ message }) => message.startsWith("link up")).length, 4);
  await echoSession(relay.hostPort);
});
