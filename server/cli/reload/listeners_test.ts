import assert from "node:assert/strict";
import { ReloadReport } from "../../../app/reload/report.ts";
import { createIdentity } from "../../../net/tls/identity.ts";
import { parseAddress } from "../../../protocol/address.ts";
import { RecordingLogger } from "../../../tests/rig/logger.ts";
import { freePort } from "../../../tests/rig/ports.ts";
import { test } from "../../../tests/rig/test.ts";
import { DeviceList } from "../../devices/list.ts";
import type { ListenOptions, V1ListenOptions } from "../../options.ts";
import { startServer } from "../../server.ts";
import type { V2ListenConfig } from "../config.ts";
import { ListenersReload } from "./listeners.ts";

/** A listener of v2 without TLS. */
function plain(port: number, more: Partial<V2ListenConfig> = {}): V2ListenConfig {
  return { profile: "v2", address: { host: "127.0.0.1", port }, security: { kind: "plain" }, ...more };
}

/** A server that listens there, and what changes that. */
async function started(...listen: V2ListenConfig[]) {
  const announce = { listenersChanged: () => Promise.resolve() };
  const logger = new RecordingLogger();
  const v2 = { identity: await createIdentity(), devices: new DeviceList() };
  const { handle, core } = startServer({ listen: listen as ListenOptions[], logger, v2 });
  await handle.ready;
  const listeners = new ListenersReload(listen, {
    core,
    withIdentity: (each) => each as ListenOptions,
    listenersChanged: () => announce.listenersChanged(),
  });
  const prepare = (...after: (V1ListenOptions | V2ListenConfig)[]) => listeners.prepare(after, new ReloadReport());
  return { handle, core, prepare, logger, announce };
}

test("an address that is lost while its listener changes is listened at anew by the next reload", async () => {
  const [first, second] = [freePort("127.0.0.1"), freePort("127.0.0.1")];
  const { handle, core, prepare, logger } = await started(plain(first), plain(second));
  const changed = plain(first, { proxyFrom: ["10.0.0.0/8"] });
  const third = freePort("127.0.0.1");
  const change = await prepare(changed, plain(second), plain(third)); // the third one is listened at first
  assert.equal(core.settings.listeners.open, 3, "their doors share the room from now on");
  let thief: Deno.Listener | undefined;
  const listener = core.listeners[0]!;
  assert.equal(listener.profile, "v2");
  const stolen = "released" in listener &&
    listener.released.then(() => thief = Deno.listen({ hostname: "127.0.0.1", port: first }));
  await assert.rejects(Promise.resolve(change.commit()), {
    name: "PartlyChangedError",
    message: new RegExp(`in use.*what had changed before that stays: listens at 127.0.0.1:${third}, too`),
  });
  await stolen;
  assert.deepEqual(handle.addresses, [`127.0.0.1:${second}`, `127.0.0.1:${third}`]);
  assert.equal(logger.said.filter((line) => line.includes(`listens at 127.0.0.1:${first} no more`)).length, 1);
  assert.equal(core.settings.listeners.open, 2);
  thief!.close();
  // What it runs with is known: the second one goes, and the first one comes back.
  await (await prepare(changed, plain(third))).commit();
  assert.deepEqual(handle.addresses, [`127.0.0.1:${third}`, `127.0.0.1:${first}`]);
  await handle.shutdown();
});

test("what fails once a listener is another is not told as if nothing had changed", async () => {
  const port = freePort("127.0.0.1");
  const { handle, prepare, announce } = await started(plain(0));
  announce.listenersChanged = () => Promise.reject(new Error("no room"));
  const change = await prepare(plain(0), plain(port));
  await assert.rejects(Promise.resolve(change.commit()), {
    name: "PartlyChangedError",
    message: `no room; what had changed before that stays: listens at 127.0.0.1:${port}, too`,
  });
  await handle.shutdown();
});

test("a listener that comes while the server ends is closed with it", async () => {
  const { handle, prepare } = await started(plain(0));
  const forwards = [{ hostAddress: parseAddress("127.0.0.1:0"), localAddress: parseAddress("127.0.0.1:1") }];
  handle.close();
  await prepare(plain(0), plain(freePort("127.0.0.1")), {
    profile: "v1",
    address: { host: "127.0.0.1", port: freePort("127.0.0.1") },
    forwards,
  });
  await handle.closed;
});
