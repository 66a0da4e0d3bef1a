/**
 * Whole sessions: one body for every pairing of our peers and the naive ones.
 *
 * @module
 */

import assert from "node:assert/strict";
import { NaiveLink } from "../rig/naive_v1/link.ts";
import { NaiveServer } from "../rig/naive_v1/server.ts";
import { digest, noise } from "../rig/bytes.ts";
import { PAIRINGS, startV1Device, startV1Relay, startV1Server, type V1RelayOptions } from "../rig/v1/relay.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { within } from "../rig/wait.ts";
import { portOf } from "../rig/ports.ts";

const MIB = 1024 * 1024;

for (const pairing of PAIRINGS) {
  const who = `${pairing.server} server, ${pairing.device} device`;

  test(`${who}: four clients at once move 3 MiB each way, digest for digest`, () => moveBytes(pairing, 4, 3 * MIB));

  test(`${who}: a client's close reaches the service behind all of its bytes`, async () => {
    const sent = noise(MIB, 11);
    await using service = new Service();
    const serverOptions = { halfCloseTimeout: 50 }; // on the wire a close is a half-close whose rest never comes
    await using relay = await startV1Relay({ ...pairing, servicePort: service.port, serverOptions });
    using client = await relay.connect();
    const writing = client.write(sent).then(() => client.close());
    using accepted = await service.accept();
    assert.equal(await digest(await accepted.readToEnd()), await digest(sent));
    await writing;
    assert.deepEqual(relay.violations(), []);
  });

  test(`${who}: a service's close reaches the client behind all of its bytes`, async () => {
    const sent = noise(MIB, 12);
    await using service = new Service((stream) => stream.write(sent));
    await using relay = await startV1Relay({ ...pairing, servicePort: service.port });
    using client = await relay.connect();
    assert.equal(await digest(await client.readToEnd()), await digest(sent));
    using next = await relay.connect();
    assert.equal((await next.readToEnd()).length, sent.length, "the link serves the next client");
    assert.deepEqual(relay.violations(), []);
  });

  for (const side of ["device", "server"] as const) {
    test(`${who}: a link that the ${side} ends takes clients, services and the host port with it`, async () => {
      await using service = new Service();
      await using relay = await startV1Relay({ ...pairing, servicePort: service.port });
      using client = await relay.connect();
      await client.write("hello");
      using accepted = await service.accept();
      assert.equal(await accepted.readText(5), "hello");
      await accepted.write("world");
      assert.equal(await client.readText(5), "world");
      await (side === "device" ? relay.stopDevice() : relay.stopServer());
      assert.equal((await client.readToEnd()).length, 0);
      assert.equal((await accepted.readToEnd()).length, 0);
      await assert.rejects(relay.connect(), Deno.errors.ConnectionRefused);
      assert.deepEqual(relay.violations(), []);
    });
  }
}

const NAIVE_PAIRINGS = PAIRINGS.filter(({ server, device }) => server !== device);

for (const pairing of NAIVE_PAIRINGS) {
  const who = pairing.server === "naive" ? "a naive server" : "a naive device";

  test(`${who} that writes headers and payloads apart is understood`, () =>
    moveBytes({ ...pairing, ...quirks({ split: "header-apart" }) }, 3, MIB));

  test(`${who} that writes byte by byte is understood`, () =>
    moveBytes({ ...pairing, ...quirks({ split: "byte-by-byte" }) }, 3, 200));

  test(`${who} that never echoes CLOSE and never answers unknown ids serves client after client`, async () => {
    await using service = echoService();
    await using relay = await startV1Relay({
      ...pairing,
      serverQuirks: { echoClose: false, answersData: false, deliversAfterClose: false },
      deviceQuirks: { echoClose: false, closeUnknown: false },
      servicePort: service.port,
    });
    for (let round = 0; round < 40; round++) {
      using client = await relay.connect();
      const text = `round ${round}`;
      await client.write(text);
      assert.equal(await client.readText(text.length), text);
    }
    assert.deepEqual(relay.violations(), []);
  });
}

test("a naive server that puts DATA ahead of CONNECT loses no client, and no byte", () =>
  moveBytes({ server: "naive", device: "our", serverQuirks: { dataBeforeConnect: true } }, 8, 100_000));

test("a naive server that puts CLOSE ahead of CONNECT leaves no service open behind our device, and those who stay are served", async () => {
  await using service = echoService();
  await using relay = await startV1Relay({
    server: "naive",
    device: "our",
    servicePort: service.port,
    serverQuirks: { closeBeforeConnect: true },
  });
  for (let round = 0; round < 20; round++) {
    (await relay.connect()).close();
    using client = await relay.connect();
    await client.write("here");
    assert.equal(await client.readText(4), "here");
  }
  assert.equal(service.accepted, 20, "only those who spoke");
  assert.deepEqual(relay.violations(), []);
});

test("a naive server that puts DATA ahead of CONNECT loses its client to a naive device, as the originals do", async () => {
  await using service = echoService();
  await using relay = await startV1Relay({
    server: "naive",
    device: "naive",
    servicePort: service.port,
    serverQuirks: { dataBeforeConnect: true },
  });
  using client = await relay.connect();
  await client.write("hello");
  assert.equal((await client.readToEnd()).length, 0);
});

test("a naive server that reuses an open id by closing the older client gets the newer one served", async () => {
  await using service = new Service();
  await using relay = await startV1Relay({
    server: "naive",
    device: "our",
    servicePort: service.port,
    serverQuirks: { ids: 2 },
  });
  using first = await relay.connect();
  using firstService = await service.accept();
  using second = await relay.connect();
  using secondService = await service.accept();
  using third = await relay.connect();
  using thirdService = await service.accept();
  assert.equal((await first.readToEnd()).length, 0, "the server closed the older client of the id");
  assert.equal((await firstService.readToEnd()).length, 0, "the device closed its service");
  await third.write("third");
  assert.equal(await thirdService.readText(5), "third");
  await thirdService.write("3");
  assert.equal(await third.readText(1), "3");
  await secondService.write("2");
  assert.equal(await second.readText(1), "2");
});

test("a naive device that sends LISTEN byte by byte is linked by our server", () =>
  moveBytes({ server: "our", device: "naive", deviceQuirks: { splitListen: true } }, 1, 1000));

test("a naive server that wants LISTEN in one segment has it from our device, and leaves if another splits it", async () => {
  const target = { host: "127.0.0.1", port: 9 };
  await using strict = new NaiveServer([target]);
  await using _device = startV1Device(strict.port, ["*:*"], { reconnect: false });
  assert.equal((await within(strict.hostPorts, "LISTEN")).length, 1);
  await using other = new NaiveServer([target]);
  using half = await NaiveLink.dial(other.port);
  await half.sendRaw(Uint8Array.of(0, 0));
  await within(other.ended, "the server to leave");
  assert.deepEqual(other.violations, ["the first segment is 0 0"]);
});

test("a naive server that takes one device in its life leaves with it; another one serves the next device", async () => {
  await using service = echoService();
  const target = { host: "127.0.0.1", port: service.port };
  for (const oneDevice of [true, false]) {
    await using server = new NaiveServer([target], { oneDevice });
    for (const round of [1, 2]) {
      await using device = startV1Device(server.port, ["127.0.0.1:*"], { reconnect: false });
      if (oneDevice && round === 2) {
        await device.events.next("dial-failed");
        continue;
      }
      const [port] = await within(server.hostPorts, "LISTEN");
      using client = await Stream.connect(port!);
      await client.write("hello");
      assert.equal(await client.readText(5), "hello");
      device.handle.close();
      assert.equal((await client.readToEnd()).length, 0);
      if (oneDevice) await within(server.ended, "the server to leave");
    }
    assert.deepEqual(server.violations, []);
  }
});

test("our server, our device: service, link and host port may be on IPv6", async () => {
  await using service = echoService({ hostname: "::1" });
  await using server = await startV1Server([`[::1]:${service.port}@[::1]:0`]);
  await using _device = startV1Device(server.port, ["[::1]:*"]);
  const { hostAddress } = await server.events.next("host-open");
  assert.match(hostAddress, /^\[::1\]:\d+$/);
  using client = await Stream.connect(portOf(hostAddress), "::1");
  await client.write("six");
  assert.equal(await client.readText(3), "six");
});

function quirks<T>(both: T): { serverQuirks: T; deviceQuirks: T } {
  return { serverQuirks: both, deviceQuirks: both };
}

/** Each client sends its own bytes to an echo service, and has to get them back. */
async function moveBytes(options: Omit<V1RelayOptions, "servicePort">, clients: number, size: number): Promise<void> {
  await using service = echoService();
  await using relay = await startV1Relay({ ...options, servicePort: service.port });
  await Promise.all(Array.from({ length: clients }, async (_, seed) => {
    const sent = noise(size, seed);
    using client = await relay.connect();
    const writing = client.write(sent);
    const received = await client.read(size);
    await writing;
    assert.equal(await digest(received), await digest(sent));
  }));
  assert.equal(service.accepted, clients);
  assert.deepEqual(relay.violations(), []);
}
