/**
 * Processes that run out of file descriptors.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { echoSession } from "../rig/processes/session.ts";
import { processTest } from "../rig/processes/harness.ts";

/** Few enough that a crowd finds the end of them, enough for the runtime itself. */
const LIMITED = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"];
const CROWD = 60;

processTest(
  "v1: a server out of descriptors lets clients wait, warns, and serves all of them in the end",
  ["/proc"],
  async () => {
    await using service = echoService();
    const local = `127.0.0.1:${service.port}`;
    const args = [...v1ServerArgs([local]), "--half-close-timeout", "0"];
    await using server = await startServer(args, { prefix: LIMITED });
    await using _device = startDevice(v1DeviceArgs(server.address, [local]));
    const hostPort = await server.hostPort(local);
    const before = server.descriptors;
    using clients = new DisposableStack();
    const crowd = await Promise.all(
      Array.from({ length: CROWD }, async () => clients.use(await Stream.connect(hostPort))),
    );
    const warning = await server.logged(/^accepting on .* pauses: .*ulimit -n/);
    assert.equal(warning.level, "warn");
    await Promise.all(crowd.map(async (client, at) => {
      await client.write(`client ${at}`);
      assert.equal(await client.readText(`client ${at}`.length), `client ${at}`);
      client.close(); // whoever has been served makes room for those that wait
    }));
    await server.descriptorsBackTo(before);
    await echoSession(hostPort);
  },
);

processTest(
  "v1: a device out of descriptors refuses clients that it cannot serve, and serves later ones",
  ["/proc"],
  async () => {
    await using service = echoService();
    const local = `127.0.0.1:${service.port}`;
    await using server = await startServer([...v1ServerArgs([local]), "--half-close-timeout", "0"]);
    await using device = startDevice(v1DeviceArgs(server.address, [local]), { prefix: LIMITED });
    const hostPort = await server.hostPort(local);
    await echoSession(hostPort);
    await server.logged(/^client .* ended/);
    await device.logged(/^client .* ended/);
    const before = device.descriptors;
    {
      using clients = new DisposableStack();
      const outcomes = await Promise.all(Array.from({ length: CROWD }, async () => {
        const client = clients.use(await Stream.connect(hostPort));
        await client.write("hello");
        return new TextDecoder().decode(await client.readSome() ?? new Uint8Array(0));
      }));
      const refused = outcomes.filter((text) => text === "").length;
      assert.ok(refused > 0 && refused < CROWD, `${refused} of ${CROWD} refused`);
      const unreachable = await device.logged(/cannot reach/);
      assert.match(String(unreachable["error"]), /Too many open files/);
    }
    await device.descriptorsBackTo(before);
    await echoSession(hostPort);
    assert.equal(device.child.stdout.length, 1, "the link stayed up");
  },
);
