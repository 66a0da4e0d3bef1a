/**
 * What `scripts/can_guest/can_guest.ts` runs in a guest kernel: SocketCAN on a real vcan0.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serveCan } from "../../can/server/serve.ts";
import type { CanEvent } from "../../can/server/events.ts";
import { ascii } from "../../tests/rig/bytes.ts";
import { say } from "../../tests/rig/say.ts";
import { Stream } from "../../tests/rig/stream.ts";
import { poll } from "../../tests/rig/wait.ts";

const HERE = { host: "127.0.0.1", port: 0 };
const FRAMES = 20_000;

/** A client of cannelloni that has the bus. */
async function client(server: { readonly port: number; readonly clients: readonly { readonly isOpen: boolean }[] }) {
  const before = server.clients.filter(({ isOpen }) => isOpen).length;
  const stream = await Stream.connect(server.port);
  await stream.write(ascii("CANNELLONIv1"));
  assert.equal(await stream.readText(12), "CANNELLONIv1");
  await poll(() => server.clients.filter(({ isOpen }) => isOpen).length > before, () => "the bus was not opened");
  return stream;
}

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function trouble(events: readonly CanEvent[], wanted: RegExp): Promise<void> {
  const found = () => events.some((event) => event.type === "bus-trouble" && wanted.test(event.error));
  await poll(found, () => JSON.stringify(events.map((event) => "error" in event ? event.error : event.type)));
}

const events: CanEvent[] = [];
const one = serveCan({ bus: "vcan0,fd", ...HERE });
const two = serveCan({ bus: "vcan0,bitrate=500000", ...HERE }); // which has none, and takes any
one.subscribe((event) => events.push(event));
await one.probe();
await assert.rejects(serveAndProbe("can7"), /there is no interface can7/);
await assert.rejects(serveAndProbe("lo"), /lo is no CAN interface/);
say("a bus that is there is opened, and others are refused");

const a = await client(one);
const b = await client(two);
for (
  const frame of [
    [0, 0, 1, 0x23, 2, 0xaa, 0xbb],
    [0x80, 1, 0x23, 0x45, 1, 7],
    [0x40, 0, 1, 0x23, 8],
    [0, 0, 1, 0x23, 0x8c, 1, ...new Array(12).fill(9)],
    [0, 0, 7, 0xff, 0],
  ]
) {
  await a.write(Uint8Array.from(frame));
  assert.deepEqual([...await b.read(frame.length)], frame);
}
say("classic, extended, remote and FD frames go from one socket to the other");

const piece = new Uint8Array(100 * 13);
const start = performance.now();
const reading = b.read(FRAMES * 13);
for (let count = 0; count < FRAMES; count += 100) {
  for (let i = 0; i < 100; i++) {
    piece.set([0, 0, 1, 0x23, 8], i * 13);
    new DataView(piece.buffer).setUint32(i * 13 + 5, count + i);
  }
  await a.write(piece);
  await poll(() => two.clients[0]!.sent >= count - 200, () => "the other end does not follow"); // its kernel's queue is short
}
const all = new DataView((await reading).buffer);
for (let i = 0; i < FRAMES; i++) assert.equal(all.getUint32(i * 13 + 5), i);
say(`${FRAMES} of ${FRAMES} frames, in order, ${(FRAMES / (performance.now() - start) * 1000).toFixed(0)} a second`);

await ip("link", "set", "vcan0", "down");
await trouble(events, /vcan0 is down/);
assert.equal((await a.readToEnd()).length, 0);
await assert.rejects(one.probe(), /vcan0 is down; bring it up/);
await ip("link", "set", "vcan0", "up");
const again = await client(one);
say("a bus that goes down is told, and one that comes back is there for the next client");

await ip("link", "del", "vcan0");
assert.equal((await again.readToEnd()).length, 0);
for (const stream of [a, b, again]) stream.close();
await Promise.all([one.shutdown(), two.shutdown()]);
await assert.rejects(serveAndProbe("vcan0"), /there is no interface vcan0/);
say("a bus that is taken away is told");

async function serveAndProbe(bus: string): Promise<void> {
  const server = serveCan({ bus, ...HERE });
  try {
    await server.probe();
  } finally {
    await server.shutdown();
  }
}
