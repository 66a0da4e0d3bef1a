/**
 * Our server against a device that is played frame by frame.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CLOSE, CONNECT, connectPayload, DATA, frameBytes, LISTEN } from "../rig/naive_v1/link.ts";
import { ascii, hex } from "../rig/bytes.ts";
import { dialAsDevice, playDevice } from "../rig/v1/scripted.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { within } from "../rig/wait.ts";

test("server: a client makes the CONNECT of the specification, and its bytes follow at once", async () => {
  await using relay = await playDevice(["10.41.51.152:23"]);
  using client = await Stream.connect(relay.hostPorts[0]!);
  await client.write("hi");
  const connect = await within(relay.link.readBytes(20), "CONNECT");
  assert.equal(hex(connect!), "00 10 01 01 00 0c 31 30 2e 34 31 2e 35 31 2e 31 35 32 00 17");
  assert.deepEqual((await relay.link.expect(DATA, 1)).payload, ascii("hi"));
});

test("server: names and IPv6 addresses go into CONNECT as they were configured, unresolved and without brackets", async () => {
  await using relay = await playDevice(["gateway.invalid:80", "[fd00::7]:443"]);
  using _first = await Stream.connect(relay.hostPorts[0]!);
  assert.deepEqual((await relay.link.expect(CONNECT, 1)).payload, connectPayload("gateway.invalid", 80));
  using _second = await Stream.connect(relay.hostPorts[1]!);
  assert.deepEqual((await relay.link.expect(CONNECT, 2)).payload, connectPayload("fd00::7", 443));
});

test("server: frames that mean nothing are passed over, and one for a client that never was is answered with CLOSE", async () => {
  await using relay = await playDevice(["10.0.0.1:23"]);
  const { link } = relay;
  using client = await Stream.connect(relay.hostPorts[0]!);
  await link.expect(CONNECT, 1);
  await link.send(DATA, 1);
  await link.send(9, 1);
  await link.send(LISTEN, 0);
  await link.send(DATA, 77, ascii("for nobody"));
  await link.expect(CLOSE, 77);
  await link.send(CLOSE, 78);
  await link.expect(CLOSE, 78);
  await link.send(DATA, 1, ascii("for somebody"));
  assert.equal(await client.readText(12), "for somebody");
});

const BROKEN: Record<string, Uint8Array> = {
  "CLOSE with a payload": frameBytes(CLOSE, 1, ascii("x")),
  "a second LISTEN with a payload": frameBytes(LISTEN, 0, ascii("x")),
  "CONNECT": frameBytes(CONNECT, 1, connectPayload("127.0.0.1", 22)),
  "CONNECT without a payload": frameBytes(CONNECT, 1),
  "an unknown command with a payload": frameBytes(9, 1, ascii("x")),
};

for (const [what, bytes] of Object.entries(BROKEN)) {
  test(`server: a device that sends ${what} loses its link, and the next device gets one`, async () => {
    await using relay = await playDevice(["10.0.0.1:23"]);
    using client = await Stream.connect(relay.hostPorts[0]!);
    await relay.link.expect(CONNECT, 1);
    await relay.link.sendRaw(bytes);
    const down = await relay.server.events.next("link-down");
    assert.equal(down.reason, "protocol-error");
    assert.equal((await client.readToEnd()).length, 0);
    assert.equal((await relay.server.events.next("client-end")).reason, "link-lost");
    await relay.link.expectEnd();
    using next = await dialAsDevice(relay.server.port);
    await relay.server.events.next("host-open");
    await next.settled(200);
  });
}

test("server: a link that is cut inside a frame delivers what came, then ends its clients", async () => {
  await using relay = await playDevice(["10.0.0.1:23"]);
  using client = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.expect(CONNECT, 1);
  await relay.link.sendRaw(frameBytes(DATA, 1, new Uint8Array(100)).subarray(0, 54));
  relay.link.close();
  assert.equal((await client.readToEnd()).length, 50);
  const down = await relay.server.events.next("link-down");
  assert.deepEqual([down.reason, down.detail], ["peer-closed", "in the middle of a frame"]);
  const end = await relay.server.events.next("client-end");
  assert.deepEqual([end.reason, end.bytesUp, end.bytesDown], ["link-lost", 0, 50]);
});

test("server: what the device sends just ahead of its CLOSE reaches the client, and so does the end", async () => {
  await using relay = await playDevice(["10.0.0.1:23"]);
  using client = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.expect(CONNECT, 1);
  await relay.link.sendRaw(frameBytes(DATA, 1, ascii("last words")), frameBytes(CLOSE, 1));
  await relay.link.expect(CLOSE, 1);
  assert.deepEqual(await client.readToEnd(), ascii("last words"));
  client.close();
  const end = await relay.server.events.next("client-end");
  assert.deepEqual([end.reason, end.bytesUp, end.bytesDown], ["service-closed", 0, 10]);
});
