/**
 * Client ids of our server: 256 of them, and none that could hit the wrong client.
 *
 * @module
 */

import assert from "node:assert/strict";
import { IDS_A_SERVICE, MAX_ID_WAIT_MS } from "../../server/limits.ts";
import { V1_MAX_CHANNELS } from "../../protocol/v1/limits.ts";
import { CLOSE, CONNECT, DATA } from "../rig/naive_v1/link.ts";
import { ascii } from "../rig/bytes.ts";
import { socketsSettled } from "../rig/cable.ts";
import { FakeClock } from "../rig/clock.ts";
import { playDevice, type ScriptedDevice } from "../rig/v1/scripted.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";

const TARGET = ["10.0.0.1:23"];

/** Ends clients at once, as far as time is concerned. */
const NO_WAIT = { halfCloseTimeout: 0 };

test("ids: 256 clients get 1 to 255 and 0, the 257th is ended at once, and the others are not harmed", async () => {
  await using relay = await playDevice(TARGET, NO_WAIT);
  const clients = await openClients(relay, 256);
  assert.deepEqual([...clients.keys()], Array.from({ length: 256 }, (_, n) => (n + 1) % 256));

  using refused = await Stream.connect(relay.hostPorts[0]!);
  assert.equal((await refused.readToEnd()).length, 0);
  const end = await relay.server.events.next("client-end");
  assert.deepEqual([end.reason, end.bytesUp, end.bytesDown], ["too-many-channels", 0, 0]);

  for (const [id, client] of clients) await exchange(relay, id, client);

  clients.get(77)!.close();
  await relay.link.expect(CLOSE, 77);
  await relay.link.send(CLOSE, 77);
  await exchange(relay, 78, clients.get(78)!); // the CLOSE above has been taken in before this
  using next = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.expect(CONNECT, 77);
  await exchange(relay, 77, next);
  closeAll(clients);
});

test("ids: the id of a device that never confirms is not given to another client while its frames may come", async () => {
  const clock = new FakeClock();
  await using relay = await playDevice(TARGET, { ...NO_WAIT, clock });
  const clients = await openClients(relay, 256);
  clients.get(5)!.close();
  await relay.link.expect(CLOSE, 5); // and no answer

  using early = await Stream.connect(relay.hostPorts[0]!);
  await clock.armed(MAX_ID_WAIT_MS); // id 5 may come free, so it waits a moment
  clock.tick(MAX_ID_WAIT_MS);
  assert.equal((await early.readToEnd()).length, 0, "rather none than one that the device may still send for");

  clock.tick(30_000);
  using late = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.expect(CONNECT, 5);
  await exchange(relay, 5, late);
  closeAll(clients);
});

test("ids: a client that comes while an id is about to come free waits for it", async () => {
  await using relay = await playDevice(TARGET, NO_WAIT);
  const clients = await openClients(relay, 256);
  clients.get(5)!.close();
  await relay.link.expect(CLOSE, 5);
  using waiting = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.send(CLOSE, 5);
  await relay.link.expect(CONNECT, 5);
  await exchange(relay, 5, waiting);
  closeAll(clients);
});

test("ids: clients that have finished writing make room for a burst of new ones", async () => {
  const clock = new FakeClock();
  await using relay = await playDevice(TARGET, { halfCloseTimeout: 5_000, clock });
  const clients = await openClients(relay, 256);
  for (const client of clients.values()) await client.closeWrite();
  await clock.armed(5_000, 256);
  const burst = await Promise.all(Array.from({ length: 100 }, () => Stream.connect(relay.hostPorts[0]!)));
  const connected = new Set<number>();
  while (connected.size < burst.length) {
    const frame = await relay.link.next();
    if (frame.command === CLOSE) await relay.link.send(CLOSE, frame.id);
    if (frame.command === CONNECT) connected.add(frame.id);
  }
  assert.equal(connected.size, 100);
  for (const client of [...burst, ...clients.values()]) client.close();
});

test("ids: late DATA and a late CLOSE for a client that has gone reach nobody", async () => {
  await using relay = await playDevice(TARGET, NO_WAIT);
  const { link } = relay;
  using old = await Stream.connect(relay.hostPorts[0]!);
  await link.expect(CONNECT, 1);
  old.close();
  await link.expect(CLOSE, 1);
  using current = await Stream.connect(relay.hostPorts[0]!);
  await link.expect(CONNECT, 2);
  await link.send(DATA, 1, ascii("late"));
  await link.send(CLOSE, 1);
  await exchange(relay, 2, current);
  const { type, reason } = await relay.server.events.next("client-end");
  assert.deepEqual([type, reason], ["client-end", "client-closed"]);
});

test("ids: an id for which bytes may have crossed the device's CLOSE is handed out after all others", async () => {
  const clock = new FakeClock();
  await using relay = await playDevice(TARGET, { ...NO_WAIT, clock });
  const { link } = relay;
  const clients = await openClients(relay, 254);
  await exchange(relay, 9, clients.get(9)!);
  for (const id of [9, 10]) {
    await link.send(CLOSE, id);
    await link.expect(CLOSE, id);
  }
  const next = await openClients(relay, 3);
  assert.deepEqual([...next.keys()], [255, 0, 10], "10 has had no bytes that could cross, and comes before 9");
  await link.send(CLOSE, 9); // the original device's answer to bytes that crossed
  await link.expect(CLOSE, 9);
  for (const [id, client] of next) await exchange(relay, id, client);
  const last = await openClients(relay, 1);
  assert.deepEqual([...last.keys()], [9]);
  await exchange(relay, 9, last.get(9)!);
  for (const some of [clients, next, last]) closeAll(some);
});

test("ids: a device that closes each client itself lets thousands come, one after the other", async () => {
  await using relay = await playDevice(TARGET, NO_WAIT);
  const seen = new Set<number>();
  for (let n = 0; n < 600; n++) {
    using client = await Stream.connect(relay.hostPorts[0]!);
    const id = await relay.link.expectConnect();
    seen.add(id);
    await relay.link.send(CLOSE, id);
    await relay.link.expect(CLOSE, id);
    assert.equal((await client.readToEnd()).length, 0);
  }
  assert.equal(seen.size, 256);
});

/** Connects clients one by one. */
async function openClients(relay: ScriptedDevice, count: number): Promise<Map<number, Stream>> {
  const clients = new Map<number, Stream>();
  for (let n = 0; n < count; n++) {
    const client = await Stream.connect(relay.hostPorts[0]!);
    clients.set(await relay.link.expectConnect(), client);
  }
  return clients;
}

/** A client's bytes reach the device, and the device's the client. */
async function exchange(relay: ScriptedDevice, id: number, client: Stream): Promise<void> {
  const text = `client ${id}`;
  await client.write(text);
  assert.deepEqual((await relay.link.expect(DATA, id)).payload, ascii(text));
  await relay.link.send(DATA, id, ascii(`for ${id}`));
  assert.equal(await client.readText(`for ${id}`.length), `for ${id}`);
}

function closeAll(clients: ReadonlyMap<number, Stream>): void {
  for (const client of clients.values()) client.close();
}

test("ids: a crowd at one service leaves clients of the others their own, also while it waits for more", async () => {
  await using relay = await playDevice([...TARGET, "10.0.0.2:80"], { ...NO_WAIT, clock: new FakeClock() });
  const crowd = new Map<number, Stream>();
  for (let n = 0; n < V1_MAX_CHANNELS - IDS_A_SERVICE; n++) {
    const client = await Stream.connect(relay.hostPorts[0]!);
    crowd.set(await relay.link.expectConnect(), client);
  }
  using waiting = await Stream.connect(relay.hostPorts[0]!);
  await socketsSettled();
  using other = await Stream.connect(relay.hostPorts[1]!);
  const id = await relay.link.expectConnect();
  assert.equal(crowd.has(id), false);
  await exchange(relay, id, other);

  crowd.get(7)!.close(); // the one that waits has its turn when one of its own service goes
  await relay.link.expect(CLOSE, 7);
  await relay.link.send(CLOSE, 7);
  crowd.set(await relay.link.expectConnect(), waiting);
  closeAll(crowd);
});
