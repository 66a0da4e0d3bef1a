/**
 * Drains on the server: whoever comes is refused, and whoever is there may finish.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { authorized, local, startV2Relay } from "../rig/v2/relay.ts";

async function client(port: number): Promise<Stream> {
  const stream = await Stream.connect(port);
  await stream.write("x");
  await stream.read(1);
  return stream;
}

for (const device of ["gw1", undefined]) {
  test(`v2 drain of ${device ?? "the server"}: new clients are refused, those there finish, and the time ends them`, async () => {
    await using echo = echoService();
    await using relay = await startV2Relay({ services: [local("echo", echo)], grants: ["echo=127.0.0.1:0"] });
    const { handle, events } = relay.server;
    const port = await relay.hostPort("echo");
    using first = await client(port);
    handle.drain(device, { for: 600_000 });
    assert.ok(handle.drainOf(device)!.until! > handle.drainOf(device)!.since);
    using refused = await Stream.connect(port);
    assert.equal(await refused.readSome(), null);
    assert.equal((await events.next("client-end")).reason, "draining");
    await first.write("still");
    await first.read(5);
    assert.equal(handle.undrain(device), true);
    using again = await client(port);
    handle.drain(device, { for: 1 });
    for (const stream of [first, again]) {
      assert.equal(await stream.readSome(), null);
      assert.equal((await events.next("client-end")).reason, "draining");
    }
    assert.ok(handle.drainOf(device), "it stays until it is undone");
  });
}

test("v2 drain on the way to config: the mode changes when the last client has gone, or the time is over", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("echo", echo)], grants: ["echo=127.0.0.1:0"] });
  const { server, device } = relay;
  const toRun = async () => {
    assert.ok(server.handle.setMode("gw1", "run"));
    assert.equal((await server.events.next("mode")).mode, "run");
  };
  const port = await relay.hostPort("echo");
  assert.equal((await server.events.next("mode")).mode, "run");
  const first = await client(port);
  server.handle.setMode("gw1", "config", 600_000);
  await first.write("y");
  await first.read(1);
  assert.equal(device.handle.status.mode, "run");
  first[Symbol.dispose]();
  assert.equal((await server.events.next("mode")).mode, "config");
  assert.equal(server.handle.drainOf("gw1"), undefined);

  await toRun();
  await server.events.next("host-open");
  using late = await client(await relay.hostPort("echo"));
  server.handle.setMode("gw1", "config", 1);
  assert.equal(await late.readSome(), null);
  assert.equal((await server.events.next("mode")).mode, "config");

  await toRun();
  server.handle.setMode("gw1", "config", 600_000);
  assert.equal((await server.events.next("mode")).mode, "config", "with nobody there it is at once");
});

test("v2 drain: it goes with a device that is renamed, also on the way to config, and is over with one that is gone", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("echo", echo)], grants: ["echo=127.0.0.1:0"] });
  const { server, device } = relay;
  const { handle } = server;
  const rename = (name: string) => server.directory.put(authorized(name, device.identity, ["echo=127.0.0.1:0"]));
  const port = await relay.hostPort("echo");
  const first = await client(port);
  handle.drain("gw1");
  rename("gw2");
  assert.deepEqual([handle.drainOf("gw1"), handle.drainOf("gw2")?.device], [undefined, "gw2"]);
  using refused = await Stream.connect(port);
  assert.equal(await refused.readSome(), null);
  await first.write("still");
  await first.read(5);
  handle.undrain("gw2");

  assert.equal((await server.events.next("mode")).mode, "run");
  handle.setMode("gw2", "config", 600_000);
  rename("gw3");
  assert.ok(handle.drainOf("gw3"));
  first[Symbol.dispose]();
  assert.equal((await server.events.next("mode")).mode, "config");
  assert.equal(handle.drainOf("gw3"), undefined);

  handle.drain("gw3");
  server.directory.remove(authorized("gw3", device.identity, []));
  assert.equal(handle.drainOf("gw3"), undefined);
});
