import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { DeviceReload, type DeviceReloadOptions, type Told } from "./reload.ts";
import { parseServiceText } from "./service_option.ts";

/** What a device was told, with services of these names. */
function told(names: readonly string[]): Told {
  const services = names.map((name) => parseServiceText(`${name}=127.0.0.1:22`));
  const config = { profile: "v2", services, hooks: {}, keepAlive: "adaptive" };
  return { values: { service: services }, config, admin: {} } as unknown as Told;
}

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
  const nothing = { prepare: () => Promise.resolve(undefined) };
  const after = names.map((name) => `other-${name}`);
  const reload = new DeviceReload({
    told: told(names),
    read: () => Promise.resolve(told(after)),
    device: { handle, adjust() {} },
    admin: nothing,
    metrics: nothing,
    hooks: { replace() {} },
  } as unknown as DeviceReloadOptions);
  const { changed } = await reload.reload();
  assert.deepEqual([...offered], after);
  assert.equal(changed.length, 2 * V2_MAX_SERVICES);
});
