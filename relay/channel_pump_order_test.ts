/** What the other side had ended in order before it, or its link, was gone. */

import assert from "node:assert/strict";
import { LINGER_MS } from "../net/limits.ts";
import type { Channel } from "../protocol/channel.ts";
import type { ChannelEndReason } from "../protocol/reasons.ts";
import { ChannelPump } from "./channel_pump.ts";
import { ReceiveChunks } from "./link/receive_chunk.ts";
import { FakeDuplex } from "./_fakes_test.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

const SIZE = 100_000;

/** A client that has not taken what its service sent, on a profile that has half-close and credit. */
function unread() {
  const clock = new FakeClock();
  const client = new FakeDuplex();
  client.blocked = true;
  const channel: Channel = {
    ...{ id: 1, bytesReceived: 0, bytesSent: 0, payloadReceived: 0, payloadSent: 0, headroom: 8, maxPayload: 1_000 },
    ...{
      halfClose: true,
      credit: true,
      state: "open" as const,
      open: true,
      room: 1_000,
      receiver: { onData() {}, onEnd() {} },
    },
    writable: () => Promise.resolve(),
    send: () => "copied",
    end() {},
    close() {},
    consumed() {},
  };
  const driver = { chunk: new ReceiveChunks().current, hold() {}, unhold() {}, flushed: () => Promise.resolve() };
  const pump = new ChannelPump({
    ...{ channel, driver, clock, end: "client" },
    ...{ stallTimeout: 1_000, halfCloseTimeout: 0, tcpKeepAlive: -1 },
  });
  pump.attach(client);
  pump.onData(new Uint8Array(SIZE));
  return { clock, client, pump };
}

for (const reason of ["service-reset", "link-lost", "shutting-down", "client-closed"] satisfies ChannelEndReason[]) {
  test(`what came before an orderly end is delivered with it, also when ${reason} follows`, async () => {
    const { clock, client, pump } = unread();
    pump.onPeerEnd();
    pump.onEnd(reason);
    await settled();
    assert.equal(client.closed, false);
    client.unblock();
    await settled();
    assert.equal(client.take().length, SIZE);
    assert.equal(client.finished, true);
    await clock.advance(LINGER_MS);
    assert.equal((await pump.done).reason, reason);
    assert.equal(clock.pending, 0);
  });
}

test("what came before a reset is dropped where nothing had ended in order", async () => {
  const { client, pump } = unread();
  pump.onEnd("service-reset");
  assert.equal((await pump.done).reason, "service-reset");
  assert.equal(client.closed, true);
  assert.equal(client.take().length, 0);
});
