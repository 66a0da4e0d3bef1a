/**
 * Garbage and floods on every socket, beside a session that goes on.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_PENDING_LINKS } from "../../server/door/limits.ts";
import { ascii, noise } from "../rig/bytes.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { startDevice, v1DeviceArgs } from "../rig/processes/daemons.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { poll } from "../rig/wait.ts";
import { echoSession } from "../rig/processes/session.ts";
import { processTest } from "../rig/processes/harness.ts";

const SOON = { server: ["--half-close-timeout", "0"] };
const LISTEN = Uint8Array.of(0, 0, 4, 0);

const STRANGERS: [what: string, says: Uint8Array, why: RegExp][] = [
  ["an HTTP request", ascii("GET / HTTP/1.1\r\nHost: relay\r\n\r\n"), /an HTTP request/],
  ["a TLS hello", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), /a TLS hello/],
  ["an SSH client", ascii("SSH-2.0-OpenSSH_9.9\r\n"), /an SSH client/],
  ["a DATA frame first", Uint8Array.of(0, 1, 3, 0, 9), /expected LISTEN .* got the bytes 00 01 03 00 09/],
  ["LISTEN with a payload", Uint8Array.of(0, 1, 4, 0, 9), /expected LISTEN/],
  ["a MiB of noise", noise(1024 * 1024, 3), /expected LISTEN/],
];

processTest("v1: strangers at the device's door get one log line each, and disturb nobody", ["/proc"], async () => {
  await using service = echoService();
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`], SOON);
  await echoSession(relay.hostPort);
  await relay.server.logged(/^client .* ended/);
  const before = relay.server.descriptors;
  using session = await Stream.connect(relay.hostPort);
  for (const [what, bytes, why] of STRANGERS) {
    const from = relay.server.child.stderr.length;
    using stranger = await Stream.connect(relay.server.port);
    await stranger.write(bytes).catch(() => {}); // it may be shown the door before it has said all
    await stranger.closeWrite().catch(() => {});
    assert.equal((await stranger.readToEnd()).length, 0, what);
    const refused = await relay.server.logged(/^refused /, from);
    assert.match(String(refused["why"]), why);
    assert.equal(refused.level, "warn");
    await session.write(what);
    assert.equal(await session.readText(what.length), what);
  }
  const lines = relay.server.log.filter(({ message }) => message.startsWith("refused "));
  assert.equal(lines.length, STRANGERS.length, "one line each");
  session.close();
  await relay.server.descriptorsBackTo(before);
});

processTest("v1: a second device is refused while the first one answers", [], async () => {
  await using service = echoService();
  const local = `127.0.0.1:${service.port}`;
  await using relay = await V1Relay.start([local], SOON);
  await using second = startDevice(v1DeviceArgs(relay.server.address, [local]));
  const refused = await relay.server.logged(/^refused /);
  assert.match(String(refused["why"]), /is linked and answers/);
  await second.logged(/^link down.*is another device linked to that listener/);
  await echoSession(relay.hostPort);
  assert.equal(relay.device.child.stdout.length, 1, "the first device has not lost its link");
});

processTest(
  "v1: a device that sends garbage behind its LISTEN loses its link, and the next one is served",
  [],
  async () => {
    await using service = echoService();
    const local = `127.0.0.1:${service.port}`;
    await using relay = await V1Relay.start([local], SOON);
    await relay.device.child.kill();
    await relay.server.logged(/^link down/);
    for (const garbage of [Uint8Array.of(0, 0, 1, 0), ascii("GET / HTTP/1.1\r\n"), noise(300_000, 4)]) {
      const from = relay.server.child.stderr.length;
      using bad = await Stream.connect(relay.server.port);
      await bad.write(LISTEN);
      await relay.server.logged(/^link up/, from);
      const reading = bad.readToEnd();
      await bad.write(garbage).catch(() => {});
      await bad.closeWrite().catch(() => {});
      await reading;
      await relay.server.logged(/^link down/, from);
    }
    const from = relay.server.child.stdout.length;
    await using _device = startDevice(v1DeviceArgs(relay.server.address, [local]));
    await echoSession(await relay.server.hostPort(local, from));
  },
);

processTest("v1: a flood of strangers does not keep a session from its bytes", ["/proc"], async () => {
  await using service = echoService();
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`], SOON);
  await echoSession(relay.hostPort);
  await relay.server.logged(/^client .* ended/);
  const before = relay.server.descriptors;
  {
    using flood = new DisposableStack();
    const silent = Array.from(
      { length: MAX_PENDING_LINKS + 50 },
      async () => flood.use(await Stream.connect(relay.server.port)),
    );
    await Promise.all(silent);
    await relay.server.logged(/^refused /);
    await Promise.all(Array.from({ length: 150 }, async (_, at) => {
      using stranger = await Stream.connect(relay.server.port);
      await stranger.write(noise(1000, at)).catch(() => {});
      await stranger.readToEnd().catch(() => {});
    }));
    await echoSession(relay.hostPort, 5_000_000);
  }
  await relay.server.descriptorsBackTo(before);
  await echoSession(relay.hostPort);
  assert.equal(relay.device.child.stdout.length, 1, "the link stayed up");
});

processTest("v1: a flood of clients that leave without a word leaves nothing behind", ["/proc"], async () => {
  await using service = echoService();
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`], SOON);
  await echoSession(relay.hostPort);
  await relay.server.logged(/^client .* ended/);
  const before = { server: relay.server.descriptors, device: relay.device.descriptors };
  const gone = () => relay.server.log.filter(({ message }) => message.startsWith("client ")).length;
  for (let round = 1; round <= 10; round++) {
    await Promise.all(Array.from({ length: 50 }, async (_, at) => {
      using client = await Stream.connect(relay.hostPort);
      if (at % 2 === 0) await client.write(noise(100, at)).catch(() => {});
    }));
    // Where rounds pile up there are more than v1 has ids for, and not each gets a line.
    const all = 1 + 50 * round;
    await poll(() => gone() === all, () => `${gone()} of ${all} lines about clients`);
  }
  await relay.server.descriptorsBackTo(before.server);
  await relay.device.descriptorsBackTo(before.device);
  await echoSession(relay.hostPort);
});

processTest(
  "v1: a device that dials something else than a server keeps trying, and ends in order",
  ["/proc"],
  async () => {
    for (const bytes of [ascii("HTTP/1.1 400 Bad Request\r\n\r\n"), noise(100_000, 2), ascii("SSH-2.0-x\r\n")]) {
      await using other = new Service(async (stream) => {
        await stream.write(bytes).catch(() => {});
        await stream.readToEnd();
      });
      await using device = startDevice(v1DeviceArgs(`127.0.0.1:${other.port}`, ["127.0.0.1:22"]));
      await device.child.line(/^lost /);
      await device.child.line(/^online /, 2);
      device.child.signal("SIGTERM");
      assert.equal(await device.child.end(), 0);
    }
  },
);
