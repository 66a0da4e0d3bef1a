import assert from "node:assert/strict";
import { LIVE_WRITE_MS, LIVE_WRITE_MS_A_DEVICE } from "../limits.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { type LiveDevice, LiveState, readLiveState } from "./live_state.ts";
import { key } from "../devices/_state_fixture_test.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";

const ONLINE: LiveDevice = {
  key: key(1),
  online: true,
  since: Date.UTC(2026, 0, 2),
  remote: "[2001:db8::1]:4711",
  services: [
    { name: "ssh", hostAddress: "0.0.0.0:2201", open: true, error: undefined },
    { name: "a.b", hostAddress: "0.0.0.0:80-90", open: false, error: "in use" },
  ],
};
const OFFLINE: LiveDevice = { key: key(2), online: false, since: undefined, remote: undefined, services: [] };

const CARRIED = { reason: "client-closed", error: undefined, bytesUp: 0, bytesDown: 0, duration: 0 } as const;

/** What is read once the server has written what it tells. */
async function told(folder: string): Promise<LiveDevice[]> {
  for (;;) {
    const devices = await readLiveState(folder);
    if (devices) return [...devices.values()];
  }
}

folderTest(
  "what a running server tells of its devices is read as it was, and the last change stands",
  async (folder) => {
    const clock = new FakeClock();
    const live = await LiveState.open(folder, clock, silentLogger);
    try {
      assert.equal(await readLiveState(folder), undefined, "nothing was told yet");
      let devices = [OFFLINE];
      live.watch(() => devices);
      devices = [ONLINE, OFFLINE];
      live.changed();
      await clock.advance(LIVE_WRITE_MS);
      assert.deepEqual(await told(folder), devices);
      const { mode } = await Deno.stat(`${folder}/live.toml`);
      assert.equal(mode! & 0o777, 0o600);
    } finally {
      await live.close();
    }
    assert.equal(clock.pending, 0, "a timer is left");
  },
);

folderTest("what anybody can cause without a key is no reason to write", async (folder) => {
  const clock = new FakeClock();
  const live = await LiveState.open(folder, clock, silentLogger);
  live.watch(() => [OFFLINE], () => OFFLINE);
  await clock.advance(LIVE_WRITE_MS);
  await told(folder);
  const set = clock.timersSet;
  const [listen, remote, device] = ["0.0.0.0:7443", "192.0.2.1:1", "gw1"];
  live.happened({ type: "refused", listen, remote, reason: "stranger", why: "not a frame", device, key: key(1) });
  live.happened({ type: "incompatible", listen, remote, device, versions: [9, 9], software: "" });
  live.happened({ type: "client-end", client: remote, hostAddress: listen, localAddress: "ssh", device, ...CARRIED });
  assert.equal(clock.timersSet, set);
  live.happened({ type: "link-up", listen, remote, device });
  assert.equal(clock.timersSet, set + 1);
  await live.close();
});

folderTest(
  "of many devices the one that changed is rendered anew, and the more there are the less often",
  async (folder) => {
    const clock = new FakeClock();
    const live = await LiveState.open(folder, clock, silentLogger);
    const all = new Map(Array.from({ length: 100 }, (_, n) => [`gw${n}`, { ...OFFLINE, key: key(n) }]));
    let asked = 0;
    live.watch(() => all.values(), (name) => (asked++, all.get(name)));
    await clock.advance(LIVE_WRITE_MS);
    assert.equal((await told(folder)).length, 100);
    all.set("gw7", { ...OFFLINE, key: key(7), online: true });
    for (const name of ["gw7", "gw7", "nobody"]) live.changed(name);
    live.forget(key(8));
    await clock.advance(LIVE_WRITE_MS);
    assert.equal(asked, 0);
    await clock.advance(100 * LIVE_WRITE_MS_A_DEVICE);
    assert.equal(asked, 2);
    for (;;) {
      const devices = await told(folder);
      if (devices.length === 100) continue;
      assert.deepEqual([devices.length, devices.find((device) => device.key === key(7))?.online], [99, true]);
      break;
    }
    await live.close();
  },
);

folderTest("without a server nothing is known, also of one that ended without a word", async (folder) => {
  assert.equal(await readLiveState(folder), undefined);
  await Deno.writeTextFile(`${folder}/.running`, "");
  await Deno.writeTextFile(`${folder}/live.toml`, `["${key(1)}"]\nonline = true\nservices = {}\n`, { mode: 0o600 });
  assert.equal(await readLiveState(folder), undefined);
  const clock = new FakeClock();
  const live = await LiveState.open(folder, clock, silentLogger);
  assert.equal(await readLiveState(folder), undefined, "what stood there is of a server that ran before");
  await live.close();
  assert.equal(await readLiveState(folder), undefined);
});

folderTest("a file that is damaged while the server runs is an error with its place", async (folder) => {
  const live = await LiveState.open(folder, new FakeClock(), silentLogger);
  try {
    await Deno.writeTextFile(`${folder}/live.toml`, `["${key(1)}"]\nonline = 1\n`, { mode: 0o600 });
    await assert.rejects(
      readLiveState(folder),
      (error) => error instanceof ConfigError && /:\d+:1: /.test(error.message),
    );
  } finally {
    await live.close();
  }
});

folderTest("a second server with the same state leaves alone what the first one told", async (folder) => {
  const clock = new FakeClock();
  const first = await LiveState.open(folder, clock, silentLogger);
  first.watch(() => [ONLINE]);
  await clock.advance(LIVE_WRITE_MS);
  await told(folder);
  const log = new RecordingLogger();
  const second = await LiveState.open(folder, clock, log);
  assert.match(log.lines.join(), /^warn another server runs with the state in /);
  assert.deepEqual([...await readLiveState(folder) ?? []], [[key(1), ONLINE]]);
  await second.close();
  assert.deepEqual([...await readLiveState(folder) ?? []], [[key(1), ONLINE]]);
  await first.close();
  await assert.rejects(Deno.stat(`${folder}/live.toml`), Deno.errors.NotFound);
});

folderTest("a device that goes while all are rendered is not written any more", async (folder) => {
  const clock = new FakeClock();
  const live = await LiveState.open(folder, clock, silentLogger);
  function* devices() {
    yield OFFLINE;
    live.forget(ONLINE.key); // it is revoked between two slices
    yield ONLINE;
  }
  live.watch(devices);
  await clock.advance(LIVE_WRITE_MS);
  assert.deepEqual((await told(folder)).map(({ key }) => key), [OFFLINE.key]);
  await live.close();
});
