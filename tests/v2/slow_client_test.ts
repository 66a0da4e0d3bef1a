/**
 * Receivers that do not read, beside others that do: on v2 nobody waits for them, and they are left in peace.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../rig/bytes.ts";
import { echoService, Service } from "../rig/service.ts";
import type { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { local, SECURITIES, startV2Relay } from "../rig/v2/relay.ts";

const MIB = 1024 * 1024;

/** Bytes that kernels may hold on the way from a service to a client that does not read: four socket buffers. */
const KERNEL_SHARE = 32 * MIB;

/** Short: on v1 it would end whoever holds the link. */
const STALL = { stallTimeout: 200 };

/** A service that never stops to write, and counts what it got rid of. */
class Endless extends Service {
  written = 0;

  constructor() {
    super(async (stream: Stream) => {
      for (let n = 0;; n++) {
        const piece = noise(64 * 1024, n);
        await stream.write(piece);
        this.written += piece.length;
      }
    });
  }
}

for (const security of SECURITIES) {
  test(`v2 slow, ${security}: a client that never reads holds nobody up, is not ended, and holds a bounded share`, async () => {
    const wanted = noise(16 * MIB, 41);
    await using endless = new Endless();
    await using finite = new Service((stream) => stream.write(wanted));
    await using relay = await startV2Relay({
      security,
      services: [local("endless", endless), local("finite", finite)],
      serve: STALL,
      device: STALL,
    });
    using deaf = await relay.connect("endless");
    for (let round = 0; round < 3; round++) {
      using reader = await relay.connect("finite");
      assert.equal(await digest(await reader.readToEnd()), await digest(wanted));
      reader.close();
      assert.equal((await relay.server.events.next("client-end")).reason, "service-closed");
    }
    assert.ok(endless.written < KERNEL_SHARE, `the service got rid of ${endless.written} bytes that nobody reads`);
    assert.equal(relay.server.handle.devices()[0]?.clients, 1);

    const pieces = Math.floor(endless.written / (64 * 1024)) + 20; // what it has not read yet, and more
    for (let n = 0; n < pieces; n++) assert.deepEqual(await deaf.read(64 * 1024), noise(64 * 1024, n));
    deaf.close();
    assert.match((await relay.server.events.next("client-end")).reason, /^client-(closed|reset)$/);
  });
}

test("v2 slow: a service that never reads holds nobody up, and its client waits with what it sends", async () => {
  const wanted = noise(8 * MIB, 42);
  await using deaf = new Service();
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("deaf", deaf), local("echo", echo)],
    serve: STALL,
    device: STALL,
  });
  using pusher = await relay.connect("deaf");
  let pushed = 0;
  const pushing = (async () => {
    for (;;) {
      await pusher.write(new Uint8Array(64 * 1024));
      pushed += 64 * 1024;
    }
  })().catch(() => "ended");
  using client = await relay.connect("echo");
  const [got] = await Promise.all([client.read(wanted.length), client.write(wanted)]);
  assert.equal(await digest(got), await digest(wanted));
  assert.ok(pushed < KERNEL_SHARE, `the client got rid of ${pushed} bytes that nobody reads`);
  assert.deepEqual(relay.server.events.types.filter((type) => type === "client-end"), []);

  using accepted = await deaf.accept();
  await accepted.read(4 * MIB);
  pusher.close();
  assert.equal(await pushing, "ended");
});

test("v2 slow: 40 clients that never read leave the link to one that does", async () => {
  const wanted = noise(4 * MIB, 43);
  await using endless = new Endless();
  await using finite = new Service((stream) => stream.write(wanted));
  await using relay = await startV2Relay({ services: [local("endless", endless), local("finite", finite)] });
  const deaf = await Promise.all(Array.from({ length: 40 }, () => relay.connect("endless")));
  using reader = await relay.connect("finite");
  assert.equal(await digest(await reader.readToEnd()), await digest(wanted));
  assert.equal(relay.server.events.types.includes("link-down"), false);
  for (const client of deaf) client.close();
});
