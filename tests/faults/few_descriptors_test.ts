/**
 * Strangers at the door of a server that has few file descriptors: they have a part of them, and no more.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { keptFrom } from "../../net/kernel/descriptor_room.ts";
import { isTlsNative } from "../rig/engine.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { poll } from "../rig/wait.ts";
import { Child } from "../rig/processes/child.ts";
import { type ServerProcess, startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoSession } from "../rig/processes/session.ts";
import { timed } from "../rig/machines/v2_machines.ts";
import { echoRelay, enrol, joinArgs, serviceOpen } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";

const LORIS = fileURLToPath(new URL("../rig/mains/slow_loris.ts", import.meta.url));
const FEW = 256;
/** Those that were given up and that the runtime has not let go of yet come on top of the quarter. */
const MOST = FEW * 0.75;
const LIMITED = ["sh", "-c", `ulimit -n ${FEW}; exec "$@"`, "sh"];

/** Getting in past a crowd at the door, on a busy machine, in milliseconds. */
const GETTING_IN_MS = 8_000;

/** 800 silent sockets, from an address of their own; who is closed comes back. */
async function besiege(server: ServerProcess, ...how: string[]): Promise<Child> {
  const loris = Child.start("loris", [
    ...[Deno.execPath(), "run", "--quiet", "-A", LORIS, server.address, "127.0.0.2", "800", "again", ...how],
  ]);
  await loris.line(/^sent /, 0, 40_000);
  return loris;
}

/** What the server said about descriptors that ran out, also where it only could not open a file. */
function shortages(server: ServerProcess): string[] {
  return server.child.stderr.filter((line) => /os error 24|EMFILE|descriptors are in use/.test(line));
}

processTest(
  `v2: strangers have a quarter of a server's ${FEW} descriptors; a new device gets in, and files can be opened`,
  ["/proc"],
  async () => {
    if (!isTlsNative) return; // the runtime lets go of silent peers only when they end: they have all that there are
    await using echo = await echoRelay({ onServer: LIMITED });
    const { relay, service } = echo;
    await using loris = await besiege(relay.server);
    const text = await enrol(relay.folder.path, relay.server.address, ["more"], { device: "gw2" });
    await using device = startDevice(joinArgs(`${relay.folder.path}/2`, text, [`more=127.0.0.1:${service.port}`]));
    const inAfter = await timed(device.child.line(/^online /));
    assert.ok(inAfter < GETTING_IN_MS, `the new device was in after ${inAfter} ms`);
    await echoSession(portOf(await serviceOpen(device, "more")));
    await echoSession(relay.hostPort);
    const { descriptors } = relay.server;
    assert.ok(descriptors < MOST, `${descriptors} descriptors`);
    assert.deepEqual(shortages(relay.server), []);
    assert.equal(relay.device.child.stdout.some((line) => line.startsWith("lost ")), false);
    device.child.signal("SIGTERM");
    await device.child.end();
    await loris.kill();
  },
);

processTest(
  `v1: strangers have a quarter of a server's ${FEW} descriptors, and a device gets in`,
  ["/proc"],
  async () => {
    await using service = echoService();
    const local = `127.0.0.1:${service.port}`;
    await using server = await startServer(v1ServerArgs([local]), { prefix: LIMITED });
    await using loris = await besiege(server, "mute");
    await using _device = startDevice(v1DeviceArgs(server.address, [local]));
    const hostPort = await server.hostPort(local);
    await echoSession(hostPort);
    assert.ok(server.descriptors < MOST, `${server.descriptors} descriptors`);
    assert.deepEqual(shortages(server), []);
    await loris.kill();
  },
);

processTest(
  "a device with few descriptors keeps some for its link when clients come in crowds",
  ["/proc"],
  async () => {
    const few = 64;
    await using echo = await echoRelay({ onDevice: ["sh", "-c", `ulimit -n ${few}; exec "$@"`, "sh"] });
    const { relay } = echo;
    using clients = new DisposableStack();
    await Promise.all(Array.from({ length: 2 * few }, async () => {
      const client = clients.use(await Stream.connect(relay.hostPort));
      await client.write("hello").catch(() => {});
      await client.readSome().catch(() => {}); // an echo, or the end of who is not served
    }));
    // Those that are turned away hold one for a moment.
    const isBounded = (count: number) => count > few / 2 && count <= few - keptFrom("client", few) + 1;
    await poll(() => isBounded(relay.device.descriptors), () => `${relay.device.descriptors} descriptors`);
    assert.equal(relay.device.child.stdout.some((line) => line.startsWith("lost ")), false);
  },
);

processTest(
  "a crowd at one service of a server with few descriptors leaves some to the clients of another device",
  ["/proc"],
  async () => {
    await using echo = await echoRelay({ onServer: LIMITED });
    const { relay, service } = echo;
    const text = await enrol(relay.folder.path, relay.server.address, ["more"], { device: "gw2" });
    await using device = startDevice(joinArgs(`${relay.folder.path}/2`, text, [`more=127.0.0.1:${service.port}`]));
    const other = portOf(await serviceOpen(device, "more"));
    using clients = new DisposableStack();
    await Promise.all(Array.from({ length: 2 * FEW }, async () => {
      const client = await Stream.connect(relay.hostPort).catch(() => undefined); // some are reset at once
      if (client) clients.use(client);
      await client?.write("hello").catch(() => {});
      await client?.readSome().catch(() => {});
    }));
    await echoSession(other);
    assert.deepEqual(shortages(relay.server), []);
  },
);
