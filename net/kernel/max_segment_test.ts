import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { noteSocket } from "./descriptors.ts";
import { limitSegment, segmentOf } from "./max_segment.ts";
import { canCut } from "./socket.ts";
import { test } from "../../tests/rig/test.ts";

const LIMIT = 1_160;

for (const hostname of ["127.0.0.1", "::1"]) {
  test(`a dialled connection is limited to small segments, either way, and carries on as any: ${hostname}`, async () => {
    if (!canCut()) return;
    using listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    const dialled = Deno.connect({ hostname, port });
    using given = await listener.accept(); // the connection that is given up
    using conn = await dialled;
    noteSocket(conn);
    const { port: before } = conn.localAddr;
    const [limited, accepted] = await Promise.all([
      limitSegment(conn, LIMIT, systemClock, new AbortController().signal),
      listener.accept(),
    ]);
    using peer = accepted;
    assert.equal(limited, true);
    assert.notEqual(peer.remoteAddr.port, before, "the server could mix the two up");
    await assert.rejects(async () => {
      while (await given.read(new Uint8Array(1)) !== null);
      throw new Error("it was ended in order");
    });
    noteSocket(peer);
    for (const side of [peer, conn]) {
      const bytes = segmentOf(side);
      assert(bytes !== undefined && bytes <= LIMIT, `${bytes} bytes`);
    }

    const sent = new Uint8Array(300_000).fill(7);
    const echo = (async () => {
      const chunk = new Uint8Array(65_536);
      for (let count = await peer.read(chunk); count !== null; count = await peer.read(chunk)) {
        for (let at = 0; at < count;) at += await peer.write(chunk.subarray(at, count));
      }
    })();
    const write = (async () => {
      for (let at = 0; at < sent.length;) at += await conn.write(sent.subarray(at));
      await conn.closeWrite();
    })();
    let back = 0;
    const chunk = new Uint8Array(65_536);
    for (let count = await conn.read(chunk); count !== null; count = await conn.read(chunk)) {
      back += count;
      if (back === sent.length) break;
    }
    assert.equal(back, sent.length);
    await write;
    await echo;
  });
}

test("a server that takes the connection once and not again is told as an error", async () => {
  if (!canCut()) return;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialled = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using _given = await listener.accept();
  using conn = await dialled;
  noteSocket(conn);
  listener.close();
  await assert.rejects(limitSegment(conn, LIMIT, systemClock, new AbortController().signal), /cannot connect/);
});
