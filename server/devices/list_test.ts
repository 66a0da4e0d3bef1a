import assert from "node:assert/strict";
import type { AuthorizedDevice, DevicesChange } from "./authorized_devices.ts";
import { DeviceList } from "./list.ts";
import { parseGrant } from "./service_grant.ts";
import { key, rawKey } from "./_state_fixture_test.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

function device(n: number, name = `gw${n}`): AuthorizedDevice {
  return { name, key: key(n), services: [parseGrant("ssh=0.0.0.0:2201")], disabled: false };
}

Deno.test("a list knows the devices that it began with, by their keys, and nobody else", STRICT, () => {
  const list = new DeviceList([device(1), device(2)]);
  assert.equal(list.byKey(rawKey(2))?.name, "gw2");
  assert.equal(list.byKey(rawKey(3)), undefined);
});

Deno.test("every change of a list is told as what it is, until nobody wants to hear of it", STRICT, () => {
  const list = new DeviceList([device(1)]);
  const told: DevicesChange[] = [];
  const unsubscribe = list.subscribe((change) => told.push(change));
  list.put(device(2));
  list.put(device(1, "roof"));
  assert.equal(list.remove(key(2)), true);
  assert.equal(list.remove(key(2)), false);
  unsubscribe();
  list.put(device(3));
  assert.deepEqual(told, [
    { added: [device(2)], removed: [], changed: [] },
    { added: [], removed: [], changed: [{ before: device(1), after: device(1, "roof") }] },
    { added: [], removed: [device(2)], changed: [] },
  ]);
  assert.deepEqual([list.byKey(rawKey(1))?.name, list.byKey(rawKey(3))?.name], ["roof", "gw3"]);
});
