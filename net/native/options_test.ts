import assert from "node:assert/strict";
import { connectedEnds, engineTest, writeAll } from "../_engines_fixture_test.ts";
import { nativeEngine } from "./engine.ts";
import { poll } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const native = nativeEngine();
const ignore = !native;
const PACE = { idle: 60, interval: 10, probes: 6 };

test("keep-alive is read back as it was set, and off when it was put off", async () => {
  using ends = await connectedEnds(native!);
  for (const end of [ends.client, ends.server]) {
    assert(end.keepAlive(), "the system's own pace from the start");
    for (const pace of [PACE, { idle: 2, interval: 1, probes: 1 }, undefined, PACE]) {
      end.setKeepAlive(pace);
      assert.deepEqual(end.keepAlive(), pace);
      end.setKeepAlive(pace);
      assert.deepEqual(end.keepAlive(), pace);
    }
  }
}, { ignore });

test("who is accepted has the keep-alive of its listening socket, and may have another one", async () => {
  for (const [keepAlive, wanted] of [[PACE, PACE], ["off", undefined]] as const) {
    using ends = await connectedEnds(native!, native, { listen: { keepAlive } });
    assert.deepEqual(ends.server.keepAlive(), wanted);
    ends.server.setKeepAlive(wanted);
    assert.deepEqual(ends.server.keepAlive(), wanted);
    for (const other of [{ ...PACE, idle: 7 }, undefined]) {
      ends.server.setKeepAlive(other);
      assert.deepEqual(ends.server.keepAlive(), other);
    }
  }
}, { ignore });

test("segments are no larger than was asked for, either way", async () => {
  using ends = await connectedEnds(native!, native, { connect: { maxSegment: 1_000 } });
  await writeAll(ends.client, new Uint8Array(10_000));
  await writeAll(ends.server, new Uint8Array(10_000));
  for (const end of [ends.client, ends.server]) assert(end.segment()! <= 1_000 && end.segment()! > 900);
  using others = await connectedEnds(native!);
  assert(others.client.segment()! > 1_500, "on the loopback interface");
}, { ignore });

test("what the peer has not acknowledged is counted, and its end too", async () => {
  using ends = await connectedEnds(native!);
  const { client, server } = ends;
  assert.equal(client.unacknowledged(), 0);
  let taken = 0;
  for (let count = -1; count !== 0; taken += count) count = client.writeNow!(new Uint8Array(1024 * 1024));
  assert(client.unacknowledged() > 0 && client.unacknowledged() < taken, "a part of it stands in the peer's system");
  const into = new Uint8Array(1024 * 1024);
  for (let left = taken; left > 0;) left -= (await server.read(into))!;
  await client.closeWrite();
  await poll(() => client.unacknowledged() === 0, () => `${client.unacknowledged()} are left`);
  assert.equal(await server.read(into), null);
}, { ignore });

test("what the system has seen of a peer is that it answers, and since when it is silent", async () => {
  using ends = await connectedEnds(native!);
  await writeAll(ends.server, Uint8Array.of(1));
  await ends.client.read(new Uint8Array(1));
  const { unanswered, silent } = ends.client.signs()!;
  assert.equal(unanswered, 0);
  assert(silent < 5_000);
  await poll(() => ends.client.signs()!.silent >= 20, () => "it is silent, and that is not seen");
  await writeAll(ends.server, Uint8Array.of(1));
  await poll(() => ends.client.signs()!.silent < 20, () => "it has spoken, and that is not seen");
}, { ignore });

engineTest("what an engine cannot tell, it does not make up", async (engine) => {
  if (engine.name !== "portable") return;
  using ends = await connectedEnds(engine, engine, { connect: { maxSegment: 1_000 }, listen: { keepAlive: PACE } });
  const { server } = ends;
  server.setKeepAlive(PACE);
  assert.deepEqual([server.keepAlive(), server.signs(), server.segment(), server.unacknowledged()], [
    undefined,
    undefined,
    undefined,
    0,
  ]);
});
