/**
 * A link that is cut at any byte: in the middle of LISTEN, of a header, of a CONNECT, of a payload.
 *
 * @module
 */

import assert from "node:assert/strict";
import { bestEngine } from "../rig/engine.ts";
import { noise } from "../rig/bytes.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { Cable, type CutKind, type Direction } from "../rig/cable.ts";
import { startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { echoSession } from "../rig/processes/session.ts";
import { processTest } from "../rig/processes/harness.ts";
import { freePort } from "../rig/ports.ts";

const CUTS: [what: string, direction: Direction, at: number, kind: CutKind][] = [
  ["in the middle of a header", "to device", 2, "end"],
  ["in the middle of a CONNECT", "to device", 9, "reset"],
  ["in the middle of a payload", "to device", 1_000_001, "end"],
  ["in the middle of a payload", "to server", 1_000_003, "reset"],
];

for (const [what, direction, at, kind] of CUTS) {
  const name = `a link cut ${what} on the way ${direction} (${kind}) ends its client; then the next session works`;
  processTest(name, ["/proc"], async () => {
    await using service = echoService();
    const local = `127.0.0.1:${service.port}`;
    const hostPort = freePort("127.0.0.1");
    await using server = await startServer([
      ...v1ServerArgs([`127.0.0.1:${hostPort}=${local}`]),
      ...["--half-close-timeout", "0"],
    ]);
    await using cable = new Cable(server.port, { engine: bestEngine });
    await using device = startDevice(v1DeviceArgs(`127.0.0.1:${cable.port}`, [local]));
    await server.hostPort(local);
    await echoSession(hostPort);
    await server.logged(/^client .* ended/);
    const before = { server: server.descriptors, device: device.descriptors };

    const cut = cable.cutAfter(at, direction, kind);
    using client = await Stream.connect(hostPort);
    const pouring = pour(client);
    await cut;
    await client.readToEnd();
    client.close();
    await pouring;

    const [serverEnd, deviceEnd] = await Promise.all([server.logged(/^link down/), device.logged(/^link down/)]);
    for (const end of [serverEnd, deviceEnd]) {
      assert.ok(["peer-closed", "connection-lost"].includes(String(end["reason"])), `${end.message}`);
    }
    await server.logged(/^client .* ended: link-lost/);

    await server.hostPort(local, 2);
    await echoSession(hostPort);
    await server.descriptorsBackTo(before.server);
    await device.descriptorsBackTo(before.device);
  });
}

processTest("v1: a link cut in the middle of LISTEN is no link; the device comes back", ["/proc"], async () => {
  await using service = new Service((stream) => stream.write("hello"));
  const local = `127.0.0.1:${service.port}`;
  await using server = await startServer(v1ServerArgs([local]));
  const before = server.descriptors;
  await using cable = new Cable(server.port, { engine: bestEngine });
  const cut = cable.cutAfter(3, "to server", "end");
  await using device = startDevice(v1DeviceArgs(`127.0.0.1:${cable.port}`, [local]));
  await cut;
  const refused = await server.logged(/^refused /);
  assert.equal(refused["why"], "it closed after 3 bytes");
  using client = await Stream.connect(await server.hostPort(local));
  assert.equal(await client.readText(5), "hello");
  client.close();
  device.child.signal("SIGTERM");
  assert.equal(await device.child.end(), 0);
  await server.descriptorsBackTo(before);
});

/** Writes without end, until the connection breaks. */
async function pour(stream: Stream): Promise<void> {
  const block = noise(64 * 1024, 1);
  try {
    for (;;) await stream.write(block);
  } catch {
    // The cut.
  }
}
