import assert from "node:assert/strict";
import { ADMIN_SOCKET } from "../../app/admin/address.ts";
import { atOnce } from "../../base/slices.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { folderTest, test } from "../../tests/rig/test.ts";
import { settled } from "../../tests/rig/wait.ts";
import type { ClientEndEvent, LinkInterruptedEvent } from "../events.ts";
import { DEVICE_STEP_MS, HISTORY_MS, HISTORY_STEP_MS, MAX_HISTORY_DEVICES, MAX_LOSSES_COUNTED } from "./limits.ts";
import { ClientTable } from "../ports/client_table.ts";
import { HISTORY_FILE, openHistoryFile } from "./file.ts";
import { History, type Watched } from "./history.ts";
import { joined, type TotalPoint } from "./points.ts";

/** A device with a session, as far as history looks at one. */
function session(name: string, roundTrip: number) {
  return {
    deviceName: name,
    device: { key: `key of ${name}` },
    link: { links: { interruptedAt: undefined }, state: { roundTrip, channelCount: 1 } },
  };
}

/** A server, as far as history looks at one, with time that stands still. */
function watched(sessions: readonly unknown[] = [session("gw1", 20), session("gw2", 40)]) {
  const clock = new FakeClock();
  clock.jump(HISTORY_STEP_MS * 10 - clock.wall() % (HISTORY_STEP_MS * 10)); // at the beginning of ten minutes
  const logger = new RecordingLogger();
  const clients = new ClientTable(clock);
  const core = { registry: { sessions }, settings: { clients, clock, logger } } as unknown as Watched;
  const carrying = (device: string, bytes: { payloadSent: number; payloadReceived: number }) => {
    const place = { device, service: "ssh", hostAddress: "127.0.0.1:1" };
    const entry = clients.add("127.0.0.1:2", () => place, () => {});
    entry.pump = { channel: { open: true, ...bytes } } as unknown as NonNullable<typeof entry.pump>;
    return { entry, place };
  };
  return { clock, logger, clients, core, carrying };
}

const ended = (device: string, bytesUp: number, bytesDown: number) =>
  ({ type: "client-end", device, bytesUp, bytesDown }) as unknown as ClientEndEvent;

const lost = (device: string) => ({ type: "link-interrupted", device }) as unknown as LinkInterruptedEvent;

test("each minute has what was carried in it, by those that live and those that have ended", async () => {
  const { clock, clients, core, carrying } = watched();
  const history = new History(core);
  await history.start(undefined);
  const { entry } = carrying("gw1", { payloadSent: 100, payloadReceived: 1_000 });
  history.add(ended("gw2", 5, 7));
  await clock.advance(HISTORY_STEP_MS);
  clients.delete(entry);
  history.add(ended("gw1", 130, 1_500));
  history.add(lost("gw2"));
  await clock.advance(HISTORY_STEP_MS);
  await clock.advance(HISTORY_STEP_MS);
  const facts = history.totals(HISTORY_STEP_MS).map(({ clients, bytesUp, bytesDown, losses }) => [
    clients,
    bytesUp,
    bytesDown,
    losses,
  ]);
  assert.deepEqual(facts, [[1, 105, 1_007, 0], [0, 30, 500, 1], [0, 0, 0, 0]]);
  const [{ online, roundTrip, roundTripMost }] = history.totals(HISTORY_STEP_MS) as [TotalPoint];
  assert.deepEqual([online, roundTrip, roundTripMost], [2, 40, 40]);
  await history.close();
  assert.equal(clock.pending, 0);
});

folderTest("history of a day outlives the server, of the whole and of each device", async (folder) => {
  const { clock, core, carrying, logger } = watched();
  const first = new History(core);
  await first.start(folder);
  carrying("gw1", { payloadSent: 100, payloadReceived: 1_000 });
  await clock.advance(2 * DEVICE_STEP_MS);
  await clock.advance(HISTORY_STEP_MS);
  const before = first.totals(HISTORY_STEP_MS);
  assert.equal(before.length, 21);
  await first.close();
  assert.equal(Deno.statSync(`${folder}/${HISTORY_FILE}`).mode! & 0o777, 0o600);
  const second = new History(core);
  await second.start(folder);
  assert.deepEqual(second.totals(HISTORY_STEP_MS), before);
  const points = second.device("key of gw1");
  assert.deepEqual(points.map(({ bytesUp, bytesDown, roundTrip }) => [bytesUp, bytesDown, roundTrip]), [
    [100, 1_000, 20],
    [0, 0, 20],
  ]);
  clock.jump(HISTORY_MS);
  assert.deepEqual([second.totals(HISTORY_STEP_MS), second.device("key of gw1")], [[], []]);
  await second.close();
  assert.deepEqual(logger.matching(/^warn/), []);
});

folderTest(
  "a file in place of history that is none is made anew, and one that another has is let be",
  async (folder) => {
    Deno.writeTextFileSync(`${folder}/${HISTORY_FILE}`, "no database, but long enough to be looked at".repeat(99));
    const { core } = watched();
    const first = new History(core);
    await first.start(folder);
    assert.equal(first.why, undefined);
    const second = new History(core);
    await second.start(folder);
    assert.match(second.why ?? "", /locked/);
    await second.close();
    await first.close();
  },
);

folderTest("where something else stands in place of the file, history is in memory, and says so", async (folder) => {
  Deno.symlinkSync(`${folder}/${ADMIN_SOCKET}`, `${folder}/${HISTORY_FILE}`);
  const { core, clock, logger } = watched();
  const history = new History(core);
  await history.start(folder);
  assert.match(history.why ?? "", /is a link/);
  await clock.advance(DEVICE_STEP_MS);
  await settled();
  assert.equal(history.device("key of gw1").length, 1);
  assert.equal(logger.matching(/^warn/).length, 1);
  await history.close();
});

folderTest("a file that is damaged is made anew, at the next start at the latest", async (folder) => {
  const path = `${folder}/${HISTORY_FILE}`;
  const rest = { online: 1, interrupted: 0, roundTripMost: null, losses: 0, refused: 0 };
  const point = (time: number) => ({ time, clients: 0, bytesUp: 0, bytesDown: 0, roundTrip: null });
  const totals = Array.from({ length: 1_000 }, (_, n) => ({ ...point((n + 1) * HISTORY_STEP_MS), ...rest }));
  const devices = Array.from({ length: 500 }, (_, n) => [`key ${n}`, point(DEVICE_STEP_MS)] as const);
  const start = async () => {
    const store = await openHistoryFile(folder);
    try {
      store.totals(0);
      atOnce(store.save(totals, devices));
      return [store.totals(0).length, store.device("key 499", 0).length];
    } finally {
      store.close();
    }
  };
  await start();
  const good = await Deno.readFile(path);
  const garbage = (at: number) => good.map((byte, n) => n >= at && n < at + 4_000 ? byte ^ 0x5a : byte);
  for (
    const [at, bytes] of [
      ...[10, 16, 50, 100, 512, 4_096, good.length >> 1].map((size) => good.slice(0, size)),
      ...[16, 100, 4_096, 8_192, 20_480, good.length >> 1].map(garbage),
    ].entries()
  ) {
    await Deno.writeFile(path, bytes);
    await start().catch(() => {}); // damage far behind is found when it is come to
    assert.deepEqual(await start(), [1_000, 1], `damage ${at}`);
  }
});

folderTest("what is no file in its place is left alone, and waited for by nobody", async (folder) => {
  const path = `${folder}/${HISTORY_FILE}`;
  const makers = [
    () => Deno.mkdirSync(path),
    () => Deno.symlinkSync(`${folder}/elsewhere`, path),
    () => new Deno.Command("mkfifo", { args: [path] }).outputSync(),
  ];
  for (const make of makers) {
    make();
    await assert.rejects(openHistoryFile(folder), { name: "ConfigError", message: /is (a link|not a file)$/ });
    Deno.removeSync(path);
  }
});

folderTest("of more devices than may be, those seen longest ago are forgotten", async (folder) => {
  const store = await openHistoryFile(folder);
  const point = (time: number) => ({ time, clients: 0, bytesUp: 0, bytesDown: 0, roundTrip: null });
  const save = (keys: string[], time: number) => atOnce(store.save([], keys.map((key) => [key, point(time)] as const)));
  const all = Array.from({ length: MAX_HISTORY_DEVICES }, (_, n) => `key ${n}`);
  save(all, DEVICE_STEP_MS);
  save(all.slice(1), 2 * DEVICE_STEP_MS);
  save(["one more"], 3 * DEVICE_STEP_MS);
  const kept = ["key 0", "key 1", "one more"].map((key) =>
    store.device(key, 0).map(({ time }) => time / DEVICE_STEP_MS)
  );
  assert.deepEqual(kept, [[], [1, 2], [3]]);
  store.close();
});

test("losses of the last hour are counted, of each device so many at most", async () => {
  const { core, clock } = watched();
  const { losses } = new History(core);
  for (let n = 0; n < 3; n++) {
    losses.add(lost("gw1"), clock.now());
    clock.jump(20 * 60_000);
  }
  assert.equal(losses.of("gw1", clock.now()), 2);
  for (let n = 0; n < 200; n++) losses.add(lost("gw2"), clock.now());
  assert.equal(losses.of("gw2", clock.now()), MAX_LOSSES_COUNTED);
  assert.equal(losses.of("gw3", clock.now()), 0);
  for (let n = 0; n < 10_000; n++) losses.add(lost(`dev${n}`), clock.now());
  assert.equal(losses.size, 4_096);
  await settled();
});

test("longer steps have the sums of what came, and the most of what was there", () => {
  const point = (time: number, value: number): TotalPoint => ({
    time,
    online: value,
    interrupted: value,
    clients: value,
    bytesUp: value,
    bytesDown: value,
    roundTrip: value,
    roundTripMost: value,
    losses: value,
    refused: value,
  });
  const [first, second] = joined([point(1, 5), point(2, 1), point(3, 2)], 2);
  assert.deepEqual([first!.time, first!.bytesUp, first!.clients, first!.online, first!.losses], [2, 6, 5, 1, 6]);
  assert.deepEqual([second!.time, second!.roundTrip], [4, 2]);
});
