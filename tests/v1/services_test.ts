/**
 * What stands behind a v1 link, as both sides' status has it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService } from "../rig/service.ts";
import { portOf } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { folderTest, test } from "../rig/test.ts";
import { startV1Device, startV1Server } from "../rig/v1/relay.ts";
import { UnixService } from "../rig/unix_service.ts";
import { poll } from "../rig/wait.ts";

test("a v1 link shows its forwards: where each is open, for whom, and why not", async () => {
  await using echo = echoService();
  const service = `127.0.0.1:${echo.port}`;
  await using server = await startV1Server([service, `10.0.0.1:23@127.0.0.1:${echo.port}`]);
  await using device = startV1Device(server.port, ["127.0.0.1:*"]);
  const { hostAddress } = await server.events.next("host-open");
  const { error } = await server.events.next("host-failed");
  using client = await Stream.connect(portOf(hostAddress));
  await client.write("x");
  await client.read(1);
  const [link] = server.handle.v1Links();
  assert.deepEqual(link!.services, [
    { localAddress: service, hostAddress, open: true, error: undefined, clients: 1 },
    { localAddress: "10.0.0.1:23", hostAddress: service, open: false, error, clients: 0 },
  ]);
  const [rule, ...others] = device.handle.status.services;
  assert.deepEqual([rule!.name, rule!.kind, rule!.offered, others], ["127.0.0.1:*", "tcp", true, []]);
  const [shown] = device.handle.clients();
  assert.deepEqual([shown!.service, shown!.localAddress, shown!.rule], [service, service, "127.0.0.1:*"]);
});

folderTest("a v1 device shows what it reaches in place of what the server names, and how that is", async (folder) => {
  const socket = `unix:${folder}/echo.sock`;
  using service = new UnixService(`${folder}/echo.sock`);
  await using server = await startV1Server(["127.0.0.1:2375"]);
  await using device = startV1Device(server.port, [`127.0.0.1:2375=${socket}`]);
  const { hostAddress } = await server.events.next("host-open");
  using client = await Stream.connect(portOf(hostAddress));
  using reached = await service.accept();
  await client.write("x");
  await reached.read(1);
  const { name, localAddress, kind, endpoint: { counts } } = device.handle.status.services[0]!;
  assert.deepEqual([name, localAddress, kind], ["127.0.0.1:2375", socket, "unix"]);
  assert.equal(counts["reached"], 1);
  assert.equal(device.handle.clients()[0]!.localAddress, socket);
  server.handle.close();
  await poll(() => !device.handle.status.services[0]!.offered, () => "it is still said to be offered");
});
