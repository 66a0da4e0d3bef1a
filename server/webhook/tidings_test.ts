import assert from "node:assert/strict";
import { WEBHOOK_EVENTS } from "../../app/webhook/options.ts";
import type { WebhookEvent } from "../../app/webhook/webhook.ts";
import { Emitter } from "../../base/emitter.ts";
import { silentLogger } from "../../base/logger.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import type { DevicesChange } from "../devices/differences.ts";
import type { ServerEvent } from "../events.ts";
import { WEBHOOK_INTERRUPTED_MS, WEBHOOK_LOOK_MS } from "../limits.ts";
import { serverSettings } from "../options.ts";
import type { ServerHandle } from "../server.ts";
import type { StateView } from "../state/state.ts";
import { WebhookTidings } from "./tidings.ts";

const GRACE = 300_000;

function fleet(names: readonly string[], events: readonly (typeof WEBHOOK_EVENTS)[number][] = WEBHOOK_EVENTS) {
  const clock = new FakeClock();
  const emitter = new Emitter<ServerEvent>(silentLogger);
  const devices = names.map((name) => ({ name, key: `k-${name}`, services: [], disabled: false } as AuthorizedDevice));
  const byName = (name: string) => devices.find((device) => device.name === name);
  const changes = new Emitter<DevicesChange>(silentLogger);
  const subscribe = (fn: (change: DevicesChange) => void) => changes.subscribe(fn);
  const state = { devices: { all: devices, byName, subscribe } } as unknown as StateView;
  const settings = { ...serverSettings({ listen: [], clock }), clientRoom: { used: 0, most: 10 } };
  const told: WebhookEvent[] = [];
  const tidings = new WebhookTidings(
    { webhook: { tell: (event) => void told.push(event) }, events: new Set(events), grace: GRACE },
    {
      server: { subscribe: (fn: (event: ServerEvent) => void) => emitter.subscribe(fn) } as ServerHandle,
      core: { settings: settings as unknown as ReturnType<typeof serverSettings>, registry: undefined, listeners: [] },
      state,
    },
  );
  const at = (device: string) => ({ listen: "l", device, remote: "r", detail: undefined });
  return {
    clock,
    tidings,
    told,
    settings,
    devices,
    rename(...names: [before: string, after: string][]) {
      const changed = names.map(([name, after]) => {
        const before = byName(name)!;
        return { before, after: { ...before, name: after } };
      });
      for (const { before, after } of changed) devices[devices.indexOf(before)] = after;
      changes.emit({ added: [], removed: [], changed });
    },
    emit: (event: ServerEvent) => emitter.emit(event),
    up: (device: string) => emitter.emit({ type: "link-up", ...at(device) }),
    down: (device: string) => emitter.emit({ type: "link-down", ...at(device), reason: "expired", duration: 1 }),
    cut: (device: string) =>
      emitter.emit({
        type: "link-interrupted",
        ...at(device),
        reason: "connection-lost",
        expiration: 15_000,
        clients: 0,
      }),
    resumed: (device: string) => emitter.emit({ type: "link-resumed", ...at(device), interrupted: 1, replayed: 0 }),
    names: () => told.map(({ event, device }) => `${event} ${device}`),
  };
}

test("a device that is back within the grace time is no news; after it, both are", () => {
  const { clock, up, down, names, told, tidings } = fleet(["gw1", "gw2"]);
  for (const device of ["gw1", "gw2"]) up(device);
  down("gw1");
  clock.tick(GRACE - 1);
  up("gw1");
  down("gw2");
  clock.tick(GRACE - 1);
  assert.deepEqual(names(), []);
  clock.tick(1);
  assert.deepEqual(names(), ["device-offline gw2"]);
  assert.deepEqual([told[0]!["forMs"], told[0]!["reason"]], [GRACE, "expired"]);
  clock.tick(60_000);
  up("gw2");
  assert.deepEqual(names(), ["device-offline gw2", "device-online gw2"]);
  assert.equal(told[1]!["afterMs"], GRACE + 60_000);
  tidings.close();
});

test("a device that goes on and off is offline from when it was last there", () => {
  const { clock, up, down, names, tidings } = fleet(["gw1"]);
  for (let count = 0; count < 10; count++) {
    up("gw1");
    clock.tick(1_000);
    down("gw1");
    clock.tick(GRACE / 2);
  }
  assert.deepEqual(names(), []);
  clock.tick(GRACE / 2);
  assert.deepEqual(names(), ["device-offline gw1"]);
  tidings.close();
});

test("devices that never come are told of, but for those who are barred or gone by then", () => {
  const { clock, devices, names, tidings } = fleet(["gw1", "gw2", "gw3"]);
  Object.assign(devices[1]!, { disabled: true });
  devices.splice(2, 1);
  clock.tick(GRACE);
  assert.deepEqual(names(), ["device-offline gw1"]);
  tidings.close();
});

test("an interruption is told while it lasts, and that the device is back", () => {
  const { clock, up, cut, resumed, names, tidings } = fleet(["gw1"]);
  up("gw1");
  cut("gw1");
  clock.tick(WEBHOOK_INTERRUPTED_MS - 1);
  resumed("gw1");
  clock.tick(GRACE);
  assert.deepEqual(names(), []);
  cut("gw1");
  clock.tick(WEBHOOK_INTERRUPTED_MS);
  resumed("gw1");
  assert.deepEqual(names(), ["device-interrupted gw1", "device-online gw1"]);
  tidings.close();
});

test("an interruption that ends a session counts for how long the device is away", () => {
  const { clock, up, cut, down, told, tidings } = fleet(["gw1"], ["device-offline"]);
  up("gw1");
  cut("gw1");
  clock.tick(15_000);
  down("gw1");
  clock.tick(GRACE - 15_000);
  assert.deepEqual(told.map(({ event, forMs }) => [event, forMs]), [["device-offline", GRACE]]);
  tidings.close();
});

test("a service that cannot be opened is told once, until it was open", () => {
  const { emit, told, tidings } = fleet([]);
  const at = { hostAddress: "0.0.0.0:22", localAddress: "ssh", device: "gw1" };
  for (let count = 0; count < 3; count++) emit({ type: "host-failed", ...at, error: "address in use" });
  assert.deepEqual(told, [
    { event: "service-failed", device: "gw1", service: "ssh", hostAddress: "0.0.0.0:22", error: "address in use" },
  ]);
  emit({ type: "host-open", ...at });
  emit({ type: "host-failed", ...at, error: "address in use" });
  assert.equal(told.length, 2);
  tidings.close();
});

test("a limit is told when it is reached, and again only after it was left", () => {
  const { clock, settings, told, tidings } = fleet([]);
  const set = (used: number) => {
    Object.assign(settings.clientRoom, { used });
    clock.tick(WEBHOOK_LOOK_MS);
  };
  for (const used of [9, 10, 9.5, 10, 5, 10]) set(used);
  assert.deepEqual(told.map(({ event, limit, most }) => [event, limit, most]), [
    ["limit-reached", "descriptors for clients", 10],
    ["limit-reached", "descriptors for clients", 10],
  ]);
  tidings.close();
});

test("one timer serves any number of devices", () => {
  const names = Array.from({ length: 20_000 }, (_, at) => `gw${at}`);
  const { clock, tidings, told, up, down } = fleet([]);
  const before = clock.pending;
  for (const name of names) {
    up(name);
    down(name);
  }
  assert.ok(clock.pending <= before + 1);
  clock.tick(GRACE);
  assert.equal(told.length, 0, "they are nobody's devices");
  tidings.close();
});

test("a device that is renamed while it is away is missed by its new name, and back by that", async () => {
  const { clock, up, down, names, rename, tidings } = fleet(["a", "b"]);
  for (const device of ["a", "b"]) up(device);
  down("a");
  rename(["a", "b"], ["b", "a"]);
  await clock.advance(GRACE);
  assert.deepEqual(names(), ["device-offline b"]);
  rename(["b", "c"]);
  up("c");
  assert.deepEqual(names(), ["device-offline b", "device-online c"]);
  tidings.close();
});

test("a device of whose absence nobody was told, as it was barred, is no news when it is back", async () => {
  const { clock, up, down, names, devices, tidings } = fleet(["gw1"]);
  up("gw1");
  down("gw1");
  devices[0] = { ...devices[0]!, disabled: true };
  await clock.advance(GRACE);
  devices[0] = { ...devices[0]!, disabled: false };
  up("gw1");
  assert.deepEqual(names(), []);
  tidings.close();
});
