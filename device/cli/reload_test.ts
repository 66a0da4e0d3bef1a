import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { UnprovableError } from "../../net/tls/proof.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { DeviceReload, type DeviceReloadOptions, type Told } from "./reload.ts";
import { parseServiceText } from "./service_option.ts";

/** What a device was told, with services of these names. */
function told(names: readonly string[]): Told {
  const services = names.map((name) => parseServiceText(`${name}=127.0.0.1:22`));
  const config = { profile: "v2", services, hooks: {}, keepAlive: "adaptive" };
  const way = { profile: "v2", server: { host: "a", port: 1 }, security: "pinned" };
  return { values: { service: services }, config, way, admin: {} } as unknown as Told;
}

const NOTHING = { prepare: () => Promise.resolve(undefined) };

test("as many services as there can be may be others: those that go make room first", async () => {
  const names = Array.from({ length: V2_MAX_SERVICES }, (_, n) => `s${n}`);
  const offered = new Set(names);
  const handle = {
    putService({ name }: { readonly name: string }) {
      offered.add(name);
      assert.ok(offered.size <= V2_MAX_SERVICES, "one too many");
    },
    takeService: (name: string) => offered.delete(name),
  };
  const after = names.map((name) => `other-${name}`);
  const reload = new DeviceReload({
    told: told(names),
    read: () => Promise.resolve(told(after)),
    device: { handle, adjust() {}, ways: { keepService: handle.putService }, lackOf() {} },
    admin: NOTHING,
    metrics: NOTHING,
    hooks: { replace() {} },
  } as unknown as DeviceReloadOptions);
  const { changed } = await reload.reload();
  assert.deepEqual([...offered], after);
  assert.equal(changed.length, 2 * V2_MAX_SERVICES);
});

test("a stored service that can never be served is kept, and said not to be offered", async () => {
  const kept: string[] = [];
  const reload = new DeviceReload({
    told: told(["ssh"]),
    read: () => Promise.resolve(told(["ssh", "bus"])),
    device: {
      handle: {},
      adjust() {},
      ways: { keepService: ({ name }: { readonly name: string }) => kept.push(name) },
      lackOf: ({ name }: { readonly name: string }) => name === "bus" ? "it takes more" : undefined,
    },
    admin: NOTHING,
    metrics: NOTHING,
    hooks: { replace() {} },
  } as unknown as DeviceReloadOptions);
  const { changed } = await reload.reload();
  assert.deepEqual(changed, ["services: bus=127.0.0.1:22 is new, which is not offered: it takes more"]);
  assert.deepEqual(kept, ["bus"]);
});

/** A device that is told another way to its server. */
function onWay(hasFixedTrust: boolean, prepare: () => { readonly goesOn: boolean; commit(): void }) {
  const before = told(["ssh"]);
  const way = { ...before.way, server: { host: "b", port: 1 }, security: "pki" };
  const values = { ...before.values, server: ["b:1"], pki: true };
  const did: string[] = [];
  const reload = new DeviceReload({
    told: before,
    read: () => Promise.resolve({ ...before, values, way } as unknown as Told),
    device: {
      handle: {},
      adjust: () => did.push("adjust"),
      ways: {
        prepare,
        canMove: ({ goesOn }: { readonly goesOn: boolean }) => goesOn,
        redial: () => did.push("redial"),
      },
    },
    admin: NOTHING,
    metrics: NOTHING,
    hooks: { replace() {} },
    hasFixedTrust,
  } as unknown as DeviceReloadOptions);
  return { reload, did };
}

test("another way to the server is dialled if the session can go on, or waits for the next link, or for a restart", async () => {
  const { reload, did } = onWay(false, () => ({ goesOn: true, commit: () => did.push("commit") }));
  const now = "over a new link, which is dialled now";
  assert.deepEqual((await reload.reload()).changed, [`pki, ${now}`, `server, ${now}`]);
  assert.deepEqual(did, ["adjust", "commit", "redial"]);
  assert.deepEqual((await reload.reload()).changed, [], "it is in force");

  const other = onWay(false, () => ({ goesOn: false, commit: () => other.did.push("commit") }));
  const { changed } = await other.reload.reload();
  assert.match(changed[0]!, /^pki, from the next link on: /);
  assert.deepEqual(other.did, ["adjust", "commit"]);

  const fixed = onWay(true, () => assert.fail("it cannot be trusted"));
  const { restart } = await fixed.reload.reload();
  assert.deepEqual(restart, ["pki cannot change without a restart", "server cannot change without a restart"]);
  assert.equal((await fixed.reload.reload()).restart.length, 2, "it still waits");
});

test("a way on which no server could prove itself changes nothing", async () => {
  const { reload, did } = onWay(false, () => {
    throw new UnprovableError("nobody can tell who that is");
  });
  await assert.rejects(reload.reload(), { name: "ConfigError", message: "nobody can tell who that is" });
  assert.deepEqual(did, []);
});
