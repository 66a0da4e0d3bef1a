import assert from "node:assert/strict";
import type { Sent } from "../link.ts";
import { test } from "../../tests/rig/test.ts";
import { ack, connected, type HeardChannel, numberedBytes, sent, ServerRig, v2FrameOf } from "./_fakes_test.ts";
import { unhex } from "../../tests/rig/bytes.ts";

const CLOSE = 0x02, END = 0x06;

/** A server's link with a channel that has used up the path: what it sends now waits. */
function fullPath(): { rig: ServerRig; client: HeardChannel; acknowledgeAll: () => string[] } {
  const rig = new ServerRig();
  const client = rig.open();
  rig.receive(connected(1, 10_000_000));
  let position = rig.link.onTheWay;
  while (!client.channel.piece) {
    client.send(new Uint8Array(8_008));
    position += numberedBytes(sent(rig));
  }
  const acknowledgeAll = () => {
    const frames: string[] = [];
    while (rig.link.onTheWay > 0) {
      rig.now += 10;
      rig.receive(ack(position));
      const more = sent(rig);
      position += numberedBytes(more);
      frames.push(...more);
    }
    return frames;
  };
  return { rig, client, acknowledgeAll };
}

/** Bytes of DATA among frames. */
function dataBytes(frames: readonly string[]): number {
  return frames.filter((frame) => frame.startsWith("3 ")).reduce((sum, frame) => sum + Number(frame.split(" ")[2]), 0);
}

test("what is sent beyond the path's room waits, and END goes behind it", () => {
  const { rig, client, acknowledgeAll } = fullPath();
  const left = client.channel.size;
  client.channel.end();
  assert.deepEqual(sent(rig), [], "END overtook what was sent before it");
  const frames = acknowledgeAll();
  assert.equal(dataBytes(frames), left);
  assert.deepEqual(frames.filter((frame) => !frame.startsWith("3 ")), ["6 1 0"]);
  assert.equal(frames.at(-1), "6 1 0");
  rig.receive(v2FrameOf(END, 1));
  assert.equal(rig.link.channelCount, 0);
});

test("the peer's END does not cut off what waits", () => {
  const { rig, client, acknowledgeAll } = fullPath();
  const left = client.channel.size;
  client.channel.end();
  assert.equal(client.channel.state, "ended");
  rig.receive(v2FrameOf(END, 1));
  assert.equal(client.channel.state, "both-ended");
  assert.equal(rig.link.channelCount, 1, "the channel is gone while bytes of it wait");
  const frames = acknowledgeAll();
  assert.equal(dataBytes(frames), left);
  assert.equal(frames.at(-1), "6 1 0");
  assert.equal(rig.link.channelCount, 0);
  assert.equal(client.channel.state, "closed");
  assert.equal(rig.budget.granted, 0);
});

test("a channel that is closed while a piece waits lets its sender go, and sends no more of it", async () => {
  for (const how of ["close", "peer", "link"] as const) {
    const { rig, client, acknowledgeAll } = fullPath();
    acknowledgeAll();
    let wait: Sent = "copied";
    while (!client.channel.piece) wait = client.send(new Uint8Array(30_000));
    rig.output.take();
    if (how === "close") client.channel.close("client-reset");
    else if (how === "peer") rig.receive(v2FrameOf(CLOSE, 1, Uint8Array.of(4)));
    else rig.link.end("link-lost");
    assert.equal(await wait, "copied");
    assert.equal(client.channel.open, false);
    assert.deepEqual(sent(rig), how === "close" ? ["2 1 1"] : []);
    assert.equal(client.send(unhex("61")), "copied");
    assert.deepEqual(sent(rig), []);
  }
});

test("a keystroke goes ahead of a channel that waits, though the path is full", () => {
  const { rig, client } = fullPath();
  assert(client.channel.piece);
  const typist = rig.open();
  typist.send(unhex("61"));
  assert.deepEqual(sent(rig), ["3 2 1"]);
  typist.send(unhex("62"));
  assert.deepEqual(sent(rig), [], "a second one, before the first is acknowledged, is no keystroke");
});
