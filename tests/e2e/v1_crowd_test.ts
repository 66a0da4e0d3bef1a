/**
 * Many clients on one link: at once, beside a stubborn one, and one too many.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../rig/bytes.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { poll } from "../rig/wait.ts";
import { processTest } from "../rig/processes/harness.ts";
import { crowdSession } from "../rig/processes/session.ts";

/** v1 cannot tell a client that closed from one that finished writing: the server waits this long for more. */
const SOON = { server: ["--half-close-timeout", "200ms"] };

processTest("v1: 200 clients at once get what they sent, each its own", [], async () => {
  await using service = echoService();
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`], SOON);
  await crowdSession(relay.hostPort, 200);
  const ended = () => relay.server.log.filter(({ message }) => message.startsWith("client "));
  await poll(() => ended().length === 200, () => `${ended().length} of 200 lines about clients`);
  assert.deepEqual(new Set(ended().map((line) => line["reason"])), new Set(["client-finished"]));
});

processTest("v1: a client that never reads is ended for it, and the one beside it gets everything", [], async () => {
  const sent = noise(4 * 1024 * 1024, 9);
  await using service = new Service(async (stream) => {
    const which = await stream.readText(1);
    if (which === "r") return await stream.write(sent);
    for (;;) await stream.write(sent); // until the client is ended
  });
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`], {
    server: ["--stall-timeout", "1s"],
    device: ["--stall-timeout", "1s"],
  });
  using stubborn = await Stream.connect(relay.hostPort);
  await stubborn.write("n");
  await Promise.all(Array.from({ length: 4 }, async () => {
    using reader = await Stream.connect(relay.hostPort);
    await reader.write("r");
    assert.equal(await digest(await reader.readToEnd()), await digest(sent));
  }));
  const stalled = await relay.server.logged(/ended: stalled/);
  assert.equal(stalled.level, "warn");
  assert.equal(stalled["client"], `127.0.0.1:${(stubborn.conn.localAddr as Deno.NetAddr).port}`);
  assert.ok(Number(stalled["duration"]) < 10_000, `the stall took ${stalled["duration"]} ms`);
});

processTest("v1: the 257th client is ended at once, and the other 256 notice nothing", ["/proc"], async () => {
  await using service = echoService();
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`], SOON);
  const before = relay.server.descriptors;
  {
    using clients = new DisposableStack();
    const open = await Promise.all(
      Array.from({ length: 256 }, async () => clients.use(await Stream.connect(relay.hostPort))),
    );
    const check = async (client: Stream, at: number) => {
      await client.write(`${at};`);
      assert.equal(await client.readText(`${at};`.length), `${at};`);
    };
    await Promise.all(open.map(check));
    using tooMany = await Stream.connect(relay.hostPort);
    assert.equal((await tooMany.readToEnd()).length, 0);
    const refused = await relay.server.logged(/ended: too-many-channels/);
    assert.equal(refused.level, "warn");
    await Promise.all(open.map(check));
  }
  await relay.server.descriptorsBackTo(before);
  using next = await Stream.connect(relay.hostPort);
  await next.write("again");
  assert.equal(await next.readText(5), "again");
});

processTest(
  "v1: IPv6: the device's listener, the host port and the service on [::1]",
  ["a whole IPv6 loopback"],
  async () => {
    await using service = echoService({ hostname: "::1" });
    await using relay = await V1Relay.start([`[::1]:0=[::1]:${service.port}`], { listen: "[::1]:0" });
    using client = await Stream.connect(relay.hostPort, "::1");
    const bytes = noise(300_000, 6);
    const [back] = await Promise.all([client.read(bytes.length), client.write(bytes)]);
    assert.equal(await digest(back), await digest(bytes));
  },
);
