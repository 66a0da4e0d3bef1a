/**
 * A device, a server or a service that is killed, and comes back.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { echoSession } from "../rig/processes/session.ts";
import { processTest } from "../rig/processes/harness.ts";
import { freePort } from "../rig/ports.ts";

const SOON = { server: ["--half-close-timeout", "0"] };

processTest(
  "v1: a killed device ends its clients and frees the host port; a new one takes its place",
  ["/proc"],
  async () => {
    await using service = echoService();
    const local = `127.0.0.1:${service.port}`;
    const hostPort = freePort("127.0.0.1");
    await using relay = await V1Relay.start([`127.0.0.1:${hostPort}=${local}`], SOON);
    await echoSession(hostPort);
    await relay.server.logged(/^client .* ended/);
    const before = relay.server.descriptors;
    using client = await Stream.connect(hostPort);
    await client.write("hello");
    assert.equal(await client.readText(5), "hello");

    await relay.device.child.kill();
    assert.equal((await client.readToEnd()).length, 0);
    await relay.server.logged(/^link down/);
    await assert.rejects(Stream.connect(hostPort), Deno.errors.ConnectionRefused);

    await using device = startDevice(v1DeviceArgs(relay.server.address, [local]));
    await relay.server.hostPort(local, 2);
    await echoSession(hostPort);
    await relay.server.descriptorsBackTo(before);
    device.child.signal("SIGTERM");
    assert.equal(await device.child.end(), 0);
  },
);

processTest("v1: a killed server comes back on its ports; the device finds it by itself", ["/proc"], async () => {
  await using service = new Service();
  const local = `127.0.0.1:${service.port}`;
  const hostPort = freePort("127.0.0.1");
  await using relay = await V1Relay.start([`127.0.0.1:${hostPort}=${local}`], SOON);
  const before = relay.device.descriptors;
  using client = await Stream.connect(hostPort);
  await client.write("hello");
  using accepted = await service.accept();
  assert.equal(await accepted.readText(5), "hello");

  await relay.server.child.kill();
  assert.equal((await accepted.readToEnd()).length, 0, "the service's connection goes with the link");
  await relay.device.child.line(/^lost /);
  await relay.device.logged(/^cannot reach .*next try in/);

  const forwards = [`127.0.0.1:${hostPort}=${local}`];
  await using server = await startServer([...v1ServerArgs(forwards, relay.server.address), ...SOON.server]);
  await server.hostPort(local);
  using next = await Stream.connect(hostPort);
  await next.write("again");
  using nextAccepted = await service.accept();
  assert.equal(await nextAccepted.readText(5), "again");
  next.close();
  assert.equal((await nextAccepted.readToEnd()).length, 0);
  nextAccepted.close();
  await relay.device.descriptorsBackTo(before);
});

processTest(
  "v1: while the service is down its clients end at once; when it is up they are served",
  ["/proc"],
  async () => {
    const port = freePort("127.0.0.1");
    const local = `127.0.0.1:${port}`;
    await using relay = await V1Relay.start([local], SOON);
    const before = { server: relay.server.descriptors, device: relay.device.descriptors };
    for (let round = 1; round <= 2; round++) {
      using client = await Stream.connect(relay.hostPort);
      assert.equal((await client.readToEnd()).length, 0);
      const unreachable = await relay.device.logged(/cannot reach/, round);
      assert.equal(unreachable["reason"], "service-unreachable");
      await using _service = echoService({ port });
      await echoSession(relay.hostPort);
    }
    await relay.server.descriptorsBackTo(before.server);
    await relay.device.descriptorsBackTo(before.device);
    assert.deepEqual(relay.device.child.stdout.length, 1, "the link stayed up");
  },
);
