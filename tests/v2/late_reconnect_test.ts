/**
 * A device that is back too late, as seed 000 has it: an error is notified to each client that was registered, who has to register
 * anew, and nothing of the old session stays.
 *
 * @module
 */

import assert from "node:assert/strict";
import { unmeantEnd } from "../rig/engine.ts";
import { Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { local, SECURITIES } from "../rig/v2/relay.ts";

const CLIENTS = 8;

for (const security of SECURITIES) {
  test(`late reconnect, ${security}: each client of the session that is lost has an error, and so has its service; who comes anew is served`, async () => {
    await using service = new Service();
    await using relay = await startCabled({
      security,
      services: [local("a", service), local("b", service)],
      serve: { expiration: 300 },
      device: { random: () => 0 },
    });
    const { server, device, cable } = relay;
    const ports = [await relay.hostPort("a"), await relay.hostPort("b")];
    await using stack = new AsyncDisposableStack();
    const pairs: { readonly client: Stream; readonly accepted: Stream }[] = [];
    for (let n = 0; n < CLIENTS; n++) {
      const client = stack.use(await Stream.connect(ports[n % 2]!));
      await client.write("x");
      const accepted = stack.use(await service.accept());
      await accepted.read(1);
      await accepted.write("part"); // of more that is to come
      assert.equal(await client.readText(4), "part");
      pairs.push({ client, accepted });
    }
    cable.refusing = true;
    cable.drop();
    assert.equal((await server.events.next("link-interrupted")).clients, CLIENTS);
    const down = await server.events.next("link-down");
    assert.deepEqual([down.reason, down.clients], ["expired", CLIENTS]);
    for (const { client } of pairs) assert.equal((await client.readToItsEnd()).end, unmeantEnd);
    for (let n = 0; n < CLIENTS; n++) assert.equal((await server.events.next("client-end")).reason, "link-lost");
    cable.refusing = false;
    assert.equal((await device.events.next("lost")).clients, CLIENTS);
    for (const { accepted } of pairs) assert.equal((await accepted.readToItsEnd()).end, unmeantEnd);
    for (let n = 0; n < 4; n++) await server.events.next("host-open");
    assert.deepEqual(server.handle.clients(), []);
    using again = await relay.connect("a");
    await again.write("y");
    using served = await service.accept();
    assert.equal(await served.readText(1), "y");
  });
}
