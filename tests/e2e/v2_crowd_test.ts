/**
 * Many clients on one v2 link: at once, idle by the thousands, and beside a stubborn one.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { digest, noise } from "../rig/bytes.ts";
import { Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { poll, within } from "../rig/wait.ts";
import { crowdSession, echoSession } from "../rig/processes/session.ts";
import { echoRelay, V2Relay } from "../rig/processes/relay.ts";

const CROWD = fileURLToPath(new URL("../rig/mains/crowd.ts", import.meta.url));
const MIB = 1024 * 1024;

processTest("v2: 200 clients at once get what they sent, each its own", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  await crowdSession(relay.hostPort, 200, async (client) => {
    await client.closeWrite();
    assert.equal((await client.readToEnd()).length, 0);
  });
  const ended = () => relay.server.log.filter(({ message }) => message.startsWith("client "));
  await poll(() => ended().length === 200, () => `${ended().length} of 200 lines about clients`);
  assert.deepEqual(new Set(ended().map((line) => line["reason"])), new Set(["client-closed"]));
});

processTest("v2: a client that never reads holds up nobody, for as long as it likes", ["/proc"], async () => {
  const sent = noise(4 * MIB, 9);
  await using service = new Service(async (stream) => {
    const which = await stream.readText(1);
    if (which === "r") return await stream.write(sent);
    for (;;) await stream.write(sent); // until the client is ended
  });
  await using relay = await V2Relay.start([`any=127.0.0.1:${service.port}`]);
  using stubborn = await Stream.connect(relay.hostPort);
  await stubborn.write("n");
  const before = [memoryOf(relay.server.child.pid), memoryOf(relay.device.child.pid)];
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 4 }, async () => {
      using reader = await Stream.connect(relay.hostPort);
      await reader.write("r");
      assert.equal(await digest(await reader.readToEnd()), await digest(sent));
    }));
  }
  const grown = [memoryOf(relay.server.child.pid) - before[0]!, memoryOf(relay.device.child.pid) - before[1]!];
  assert.ok(Math.max(...grown) < 100 * MIB, `memory grew by ${grown.join(" and ")} bytes`);
  assert.ok((await stubborn.read(MIB)).length === MIB, "what was sent to it is still there when it reads");
});

processTest("v2: 2,000 connections opened at once are all served", ["/proc"], async () => {
  await using echo = await crowdRelay();
  const { relay } = echo;
  await using crowd = startCrowd(relay.hostPort, 2_000, 2_000);
  const [, took] = await within(crowd.line(/^served 2000 in (\d+) ms$/), "2,000 clients", 20_000);
  assert.ok(Number(took) < 10_000, `it took ${took} ms`);
  crowd.signal("SIGTERM");
  await crowd.end();
  await echoSession(relay.hostPort);
});

processTest(
  "v2: 10,000 idle connections cost bounded memory, and the next client is served as ever",
  ["/proc"],
  async () => {
    await using echo = await crowdRelay();
    const { relay } = echo;
    await echoSession(relay.hostPort);
    const pids = [relay.server.child.pid, relay.device.child.pid];
    const before = { memory: pids.map(memoryOf), descriptors: relay.server.descriptors };
    await using crowd = startCrowd(relay.hostPort, 10_000, 200);
    await within(crowd.line(/^served 10000 in (\d+) ms$/), "10,000 clients", 40_000);
    const cost = pids.reduce((sum, pid, at) => sum + memoryOf(pid) - before.memory[at]!, 0) / 10_000;
    assert.ok(cost < 40 * 1024, `an idle client costs ${Math.round(cost)} bytes in both processes together`);
    const since = performance.now();
    await echoSession(relay.hostPort);
    const took = performance.now() - since;
    assert.ok(took < 1_000, `the session took ${took} ms`);
    assert.equal(relay.device.child.stdout.some((line) => line.startsWith("lost ")), false);
    crowd.signal("SIGTERM");
    await crowd.end();
    await relay.server.descriptorsBackTo(before.descriptors);
  },
);

/** An echo service in a process of its own, and a relay to it: none of the three runs out of descriptors. */
async function crowdRelay(): Promise<AsyncDisposable & { readonly relay: V2Relay }> {
  await using stack = new AsyncDisposableStack();
  const service = stack.use(Child.start("service", crowd("serve")));
  const [, port] = await service.line(/^port (\d+)$/);
  const relay = stack.use(await V2Relay.start([`echo=127.0.0.1:${port}`], { onServer: ROOM, onDevice: ROOM }));
  const end = stack.move();
  return { relay, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** Room for descriptors. */
const ROOM = ["sh", "-c", 'ulimit -n 16384 && exec "$@"', "sh"];

/** Opens `count` connections, `atOnce` at a time, each of which is served a byte; then they are idle. */
function startCrowd(port: number, count: number, atOnce: number): Child {
  return Child.start("crowd", crowd("connect", String(port), String(count), String(atOnce)));
}

function crowd(...args: string[]): string[] {
  return [...ROOM, Deno.execPath(), "run", "--quiet", "-A", CROWD, ...args];
}

/** Resident memory of a process, in bytes. */
function memoryOf(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kilobytes) * 1024;
}
