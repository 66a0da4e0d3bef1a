/**
 * Services at Unix sockets of the device's machine, on both engines.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { digest, noise } from "../rig/bytes.ts";
import { engines } from "../../net/_engines_fixture_test.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { UnixService } from "../rig/unix_service.ts";
import { test } from "../rig/test.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { startV2Relay } from "../rig/v2/relay.ts";
import { portOf } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { startV1Device, startV1Server } from "../rig/v1/relay.ts";
import { within } from "../rig/wait.ts";

const CUTS = 50;

for (const { name: engine } of engines) {
  test(`${engine}: what a Unix socket's service sends and gets is whole after ${CUTS} cuts`, async () => {
    const size = 40 * 1024 * 1024;
    const [up, down] = [noise(size, 1), noise(size, 2)] as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
    using folder = new TempFolder();
    const path = `${folder.path}/bulk`;
    using listener = new UnixService(path);
    await using relay = await startCabled({
      services: [`bulk=unix:${path}`],
      serve: { expiration: 15_000 },
      device: { random: () => 0, engine },
    });
    const { cable, device, connect } = relay;
    using client = await connect("bulk");
    using service = await listener.accept();
    const work = Promise.all([
      service.readToEnd(),
      client.readToEnd(),
      client.write(up).then(() => client.closeWrite()),
      service.write(down).then(() => service.closeWrite()),
    ]);
    let cuts = 0;
    let over = false;
    const cutting = (async () => {
      for (; cuts < CUTS && !over; cuts++) {
        const before = cable.carried;
        while (!over && cable.carried < before + size / 32) await new Promise((resolve) => setImmediate(resolve));
        if (over) break;
        cable.drop();
        await device.events.next("resumed");
      }
    })();
    const [atService, atClient] = await within(work, "the transfers", 60_000);
    over = true;
    await cutting;
    assert.equal(await digest(atService), await digest(up));
    assert.equal(await digest(atClient), await digest(down));
    assert.ok(cuts >= CUTS * 0.9, `${cuts} cuts`);
  });

  test(`${engine}: a Unix socket's service is told of its client, watched, and named by its path`, async () => {
    using folder = new TempFolder();
    const path = `${folder.path}/web`;
    await using relay = await startV2Relay({ services: [`web=unix:${path},proxy=v1,down=refuse`], device: { engine } });
    const { device } = relay;
    assert.equal((await device.events.next("service")).error, "service-down");
    assert.equal(device.handle.status.services[0]!.localAddress, `unix:${path}`);
    using listener = new UnixService(path);
    using look = await listener.accept();
    assert.equal((await look.readToEnd()).length, 0);
    using client = await relay.connect("web");
    using service = await listener.accept();
    await client.write("GET");
    const address = `127.0.0.1 127.0.0.1 ${client.conn.localAddr.port} ${await relay.hostPort("web")}`;
    const said = `PROXY TCP4 ${address}\r\nGET`;
    assert.equal(await service.readText(said.length), said);
    service.close();
    assert.equal((await client.readToEnd()).length, 0);
    client.close();
    assert.match((await device.events.next("channel-end")).reason, /^(client|service)-closed$/);
    assert.match(device.log.said.join("\n"), new RegExp(`service web is down at unix:${path}`));
  });
}

test("a Unix socket that cannot be reached is told in one line, and its client is reset", async () => {
  using folder = new TempFolder();
  await using relay = await startV2Relay({ services: [`web=unix:${folder.path}/none`] });
  using client = await relay.connect("web");
  assert.equal((await client.readToEnd()).length, 0);
  const ended = await relay.device.events.next("channel-end");
  assert.equal(ended.reason, "service-unreachable");
  assert.equal(ended.error, `there is no socket ${folder.path}/none; is its program running?`);
});

test("v1: what the server names is reached at the Unix socket that the device's owner says", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/s`;
  using listener = new UnixService(path);
  await using server = await startV1Server(["127.0.0.1:2375"]);
  await using _device = startV1Device(server.port, [`127.0.0.1:2375=unix:${path}`]);
  using client = await Stream.connect(portOf((await server.events.next("host-open")).hostAddress));
  await client.write("ping");
  using service = await listener.accept();
  assert.equal(await service.readText(4), "ping");
});
