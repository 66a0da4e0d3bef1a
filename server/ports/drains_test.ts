import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { ClientTable } from "./client_table.ts";
import { Drains } from "./drains.ts";

/** Drains, and clients whose places are counted as they are looked at. */
function drained() {
  const clock = new FakeClock();
  const clients = new ClientTable(clock);
  const drains = new Drains(clock, clients);
  const looks = { count: 0 };
  const add = (device: string | undefined) => {
    const place = () => (looks.count++, { device, service: "ssh", hostAddress: "127.0.0.1:1" });
    return clients.add("127.0.0.1:2", place, () => {});
  };
  return { clients, drains, looks, add };
}

test("whoever leaves costs no look at the drains of other devices", () => {
  const { clients, drains, looks, add } = drained();
  const done: (string | undefined)[] = [];
  const devices = Array.from({ length: 50 }, (_, n) => `gw${n}`);
  const entries = devices.map(add);
  for (const device of devices) drains.begin(device, { for: 1_000, then: (name) => void done.push(name) });
  looks.count = 0;
  clients.delete(entries.at(-1)!);
  assert.deepEqual(done, ["gw49"]);
  assert.ok(looks.count <= 2 * devices.length, `${looks.count} looks`);
  for (const entry of entries.slice(0, -1)) clients.delete(entry);
  assert.equal(done.length, devices.length);
  assert.equal(drains.devices, 0);
  drains.close();
});

test("a drain of the whole server is done when nobody is there any more, of whichever device", () => {
  const { clients, drains, add } = drained();
  const [first, second] = [add("gw1"), add(undefined)];
  let done = 0;
  drains.begin(undefined, { then: () => void done++ });
  clients.delete(second);
  assert.equal(done, 0);
  clients.delete(first);
  assert.equal(done, 1);
});
