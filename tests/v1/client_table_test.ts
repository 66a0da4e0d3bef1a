/**
 * Clients of a v1 link as the server shows them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { portOf } from "../rig/ports.ts";
import { test } from "../rig/test.ts";
import { startV1Device, startV1Server } from "../rig/v1/relay.ts";
import { poll } from "../rig/wait.ts";

test("a v1 client is shown without a device, with its bytes, and can be closed", async () => {
  await using echo = echoService();
  const service = `127.0.0.1:${echo.port}`;
  await using server = await startV1Server([service]);
  await using _device = startV1Device(server.port, [service]);
  const { hostAddress } = await server.events.next("host-open");
  using client = await Stream.connect(portOf(hostAddress));
  using other = await Stream.connect(portOf(hostAddress));
  for (const each of [client, other]) {
    await each.write("hello");
    await each.read(5);
  }
  const [shown] = server.handle.clients();
  assert.deepEqual(
    [shown!.device, shown!.service, shown!.hostAddress, shown!.state, shown!.bytesUp, shown!.bytesDown],
    [undefined, service, hostAddress, "open", 5, 5],
  );
  assert.equal(server.handle.closeClient(shown!.id), true);
  assert.equal(await client.readSome(), null);
  assert.equal((await server.events.next("client-end")).reason, "closed-by-admin");
  await poll(() => server.handle.clients().length === 1, () => "it is still shown");
  await other.write("again");
  await other.read(5);
});
