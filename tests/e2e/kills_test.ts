/**
 * A server or a device that is killed leaves resets behind: nobody takes the half of a download for the whole, and nobody
 * loses a part of what ended in order.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { unmeantEnd } from "../rig/engine.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { type Relay, V1Relay, V2Relay } from "../rig/processes/relay.ts";

const PROFILES: Readonly<Record<string, (port: number) => Promise<Relay>>> = {
  v1: (port) => V1Relay.start([`127.0.0.1:${port}`]),
  v2: (port) => V2Relay.start([`svc=127.0.0.1:${port}`], { server: ["--expiration", "1s"] }),
};

for (const [profile, start] of Object.entries(PROFILES)) {
  for (const role of ["server", "device"] as const) {
    processTest(
      `${profile}: a killed ${role} ends its clients and services in mid-transfer, by a reset where that can be had`,
      [],
      async () => {
        await using service = new Service();
        await using relay = await start(service.port);
        using client = await Stream.connect(relay.hostPort);
        await client.write("GET");
        using accepted = await service.accept();
        await accepted.readText(3);
        await accepted.write(new Uint8Array(50_000));
        await client.read(50_000);
        await relay[role].child.kill();
        assert.equal((await client.readToItsEnd()).end, unmeantEnd);
        assert.equal((await accepted.readToItsEnd()).end, unmeantEnd);
      },
    );
  }

  processTest(`${profile}: a killed server takes nothing back of what ended in order`, ["ss"], async () => {
    await using service = new Service();
    await using relay = await start(service.port);
    using client = await Stream.connect(relay.hostPort);
    await client.write("GET");
    using accepted = await service.accept();
    await accepted.readText(3);
    const size = 1_000_000; // more than a client that does not read yet is sent, and less than the kernel holds
    await accepted.write(new Uint8Array(size));
    accepted.close();
    await ending(relay.hostPort);
    await relay.server.child.kill();
    const { bytes, end } = await client.readToItsEnd();
    assert.deepEqual([bytes.length, end], [size, "orderly"]);
  });
}

processTest("v2: a device that ends takes nothing back of what ended in order before", ["ss"], async () => {
  await using service = new Service();
  await using relay = await V2Relay.start([`svc=127.0.0.1:${service.port}`]);
  using client = await Stream.connect(relay.hostPort);
  await client.write("GET");
  using accepted = await service.accept();
  await accepted.readText(3);
  const size = 1_000_000;
  await accepted.write(new Uint8Array(size));
  await accepted.closeWrite();
  await ending(relay.hostPort);
  relay.device.child.signal("SIGTERM");
  await relay.server.logged(/ended: shutting-down/);
  const { bytes, end } = await client.readToItsEnd();
  assert.deepEqual([bytes.length, end], [size, "orderly"]);
});

/** Waits until the system has been given the end of a host port's client, and has sent only a part. */
async function ending(port: number): Promise<void> {
  for (;;) { // nobody tells
    await using ss = await Child.run("ss", ["ss", "-Htn", "state", "fin-wait-1", `sport = :${port}`]);
    assert.equal(await ss.exited, 0);
    if (ss.stdout.some((line) => Number(line.trim().split(/\s+/)[1]) > 1)) return;
  }
}
