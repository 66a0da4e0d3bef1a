import assert from "node:assert/strict";
import { CROSSED_ID_REST_MS, UNCONFIRMED_ID_REST_MS } from "./limits.ts";
import type { V1Channel as Channel } from "./channel.ts";
import { ProtocolError, type ProtocolErrorCode } from "../errors.ts";
import { V1ServerLink } from "./server_link.ts";
import { v1Close, v1Connect } from "./codec.ts";
import { RecordingOutput } from "./_fakes_test.ts";
import { hex, unhex } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";

const TARGET = { host: "a", port: 23 };
const connectFrame = (id: number) => hex(v1Connect(id, TARGET));
const closeFrame = (id: number) => hex(v1Close(id));

class Fixture {
  readonly output = new RecordingOutput();
  readonly told: string[] = [];
  listenings = 0;
  idsFreed = 0;
  now = 0;
  readonly link = new V1ServerLink(this.output, { now: () => this.now }, {
    onListening: () => this.listenings++,
    onIdFree: () => this.idsFreed++,
  });

  receive(text: string, now = 0): void {
    this.now = now;
    this.link.receive(unhex(text));
  }

  /** Opens a channel and writes down what it is told. */
  open(now = 0): Channel {
    this.now = now;
    const channel = this.link.open(TARGET);
    assert(channel, "no id was free");
    channel.receiver = {
      onData: (bytes) => this.told.push(`${channel.id}: ${hex(bytes)}`),
      onEnd: (reason) => this.told.push(`${channel.id}: ${reason}`),
    };
    return channel;
  }

  send(channel: Channel, text: string): void {
    const payload = unhex(text);
    const frame = new Uint8Array(4 + payload.length);
    frame.set(payload, 4);
    channel.send(frame, payload.length);
  }
}

function listening(): Fixture {
  const fixture = new Fixture();
  fixture.receive("00 00 04 00");
  return fixture;
}

function assertEnds(fixture: Fixture, text: string, code: ProtocolErrorCode): void {
  assert.throws(() => fixture.receive(text), (error) => error instanceof ProtocolError && error.code === code, text);
}

test("a channel has neither half-close nor credit, and sends up to 65,535 bytes behind a header of 4", () => {
  const channel = new Fixture().open();
  const { halfClose, credit, headroom, maxPayload, room } = channel;
  assert.deepEqual({ halfClose, credit, headroom, maxPayload, room }, {
    ...{ halfClose: false, credit: false, headroom: 4, maxPayload: 65_535, room: 65_535 },
  });
});

test("LISTEN is told once, and a second one is passed over", () => {
  const fixture = new Fixture();
  assert.equal(fixture.link.listening, false);
  fixture.receive("00 00 04");
  assert.equal(fixture.listenings, 0);
  fixture.receive("00 00 00 04 00");
  assert.equal(fixture.listenings, 1);
  assert.equal(fixture.link.listening, true);
  assert.equal(fixture.link.counters.ignored, 1);
  assert.deepEqual(fixture.output.take(), []);
});

test("any first frame but LISTEN ends the link", () => {
  assertEnds(new Fixture(), "00 01 03 01 61", "listen-expected");
  assertEnds(new Fixture(), "00 00 02 01", "listen-expected");
  assertEnds(new Fixture(), "00 00 63 01", "listen-expected");
  assertEnds(new Fixture(), "00 05 01 01 00 01 61 00 17", "wrong-direction");
  assertEnds(new Fixture(), "00 01 04 00 00", "bad-size");
});

test("a CONNECT from the device ends the link, readable or not", () => {
  assertEnds(listening(), "00 05 01 01 00 01 61 00 17", "wrong-direction");
  assertEnds(listening(), "00 00 01 01", "wrong-direction");
});

test("a client gets CONNECT, DATA both ways, and CLOSE", () => {
  const fixture = listening();
  const channel = fixture.open();
  fixture.send(channel, "68 69");
  fixture.receive("00 02 03 01 79 6f");
  channel.close();
  assert.deepEqual(fixture.output.take(), [connectFrame(1), "00 02 03 01 68 69", "00 00 02 01"]);
  assert.deepEqual(fixture.told, ["1: 79 6f"]);
  assert.deepEqual([channel.open, channel.bytesSent, channel.bytesReceived], [false, 2, 2]);
  assert.equal(fixture.link.channelCount, 0);
});

test("CLOSE of the device ends the channel and is confirmed once", () => {
  const fixture = listening();
  const channel = fixture.open();
  fixture.output.take();
  fixture.receive("00 01 03 01 61 00 00 02 01");
  assert.deepEqual(fixture.output.take(), ["00 00 02 01"]);
  assert.deepEqual(fixture.told, ["1: 61", "1: service-closed"]);
  channel.close();
  fixture.send(channel, "62");
  assert.deepEqual(fixture.output.take(), []);
  assert.equal(channel.bytesSent, 0);
});

test("an ended channel is told so once", () => {
  const fixture = listening();
  fixture.open();
  fixture.receive("00 00 02 01");
  fixture.link.end("link-lost");
  assert.deepEqual(fixture.told, ["1: service-closed"]);
});

test("the end of the link ends every channel without a word on the wire", () => {
  const fixture = listening();
  for (let n = 0; n < 3; n++) fixture.open();
  fixture.output.take();
  fixture.link.end("shutting-down");
  assert.deepEqual(fixture.told, ["1: shutting-down", "2: shutting-down", "3: shutting-down"]);
  assert.deepEqual(fixture.output.take(), []);
  assert.equal(fixture.link.channelCount, 0);
});

test("the 257th client gets no channel and nobody else notices", () => {
  const fixture = listening();
  for (let n = 0; n < 256; n++) fixture.open();
  fixture.output.take();
  assert.equal(fixture.link.freeIds, 0);
  assert.equal(fixture.link.open(TARGET), undefined);
  assert.equal(fixture.link.challenge(), false);
  assert.deepEqual(fixture.output.take(), []);
  assert.equal(fixture.link.channelCount, 256);
});

/** Opens all 256 ids and forgets about them. */
function full(): { fixture: Fixture; channels: Map<number, Channel> } {
  const fixture = listening();
  const channels = new Map<number, Channel>();
  for (let n = 0; n < 256; n++) {
    const channel = fixture.open();
    channels.set(channel.id, channel);
  }
  fixture.output.take();
  return { fixture, channels };
}

test("an id that the server closed is not used again before the device confirms", () => {
  const { fixture, channels } = full();
  channels.get(9)!.close();
  assert.equal(fixture.link.freeIds, 0);
  fixture.now = UNCONFIRMED_ID_REST_MS - 1;
  assert.equal(fixture.link.open(TARGET), undefined);
  fixture.receive(closeFrame(9), UNCONFIRMED_ID_REST_MS - 1);
  assert.deepEqual(fixture.output.take(), ["00 00 02 09"], "the confirmation was answered");
  assert.equal(fixture.open(UNCONFIRMED_ID_REST_MS - 1).id, 9);
});

test("an id that the device never confirms comes back after its rest", () => {
  const { fixture, channels } = full();
  channels.get(9)!.close();
  fixture.now = 10;
  channels.get(8)!.close();
  assert.equal(fixture.open(UNCONFIRMED_ID_REST_MS).id, 9);
  fixture.now = UNCONFIRMED_ID_REST_MS + 9;
  assert.equal(fixture.link.open(TARGET), undefined);
  assert.equal(fixture.open(UNCONFIRMED_ID_REST_MS + 10).id, 8);
});

test("an id that the device closed while bytes were on their way to it rests behind the others", () => {
  const { fixture, channels } = full();
  fixture.send(channels.get(5)!, "61");
  fixture.receive(closeFrame(5), 0);
  fixture.receive(closeFrame(6), 0);
  fixture.receive(closeFrame(7), 0);
  assert.deepEqual([fixture.open(1).id, fixture.open(1).id], [6, 7]);
  assert.equal(fixture.open(CROSSED_ID_REST_MS - 1).id, 5, "it is taken early when no other is left");
});

test("closes that cross on the wire end the channel once, and free its id", () => {
  const fixture = listening();
  const channel = fixture.open();
  channel.close();
  fixture.output.take();
  fixture.receive("00 00 02 01");
  assert.deepEqual(fixture.output.take(), []);
  assert.equal(fixture.link.freeIds, 256);
});

test("the owner hears when an id comes free, and knows how many wait for their confirmation", () => {
  const { fixture, channels } = full();
  channels.get(3)!.close();
  assert.deepEqual([fixture.link.unconfirmedIds, fixture.idsFreed], [1, 0]);
  fixture.receive("00 00 02 03");
  assert.deepEqual([fixture.link.unconfirmedIds, fixture.idsFreed, fixture.link.freeIds], [0, 1, 1]);
  fixture.receive("00 00 02 04");
  assert.deepEqual([fixture.idsFreed, fixture.link.freeIds], [2, 2]);
  fixture.receive("00 00 02 04");
  assert.equal(fixture.idsFreed, 2, "it was free already");
});

test("DATA that was on its way when the server closed is dropped without an answer", () => {
  const fixture = listening();
  fixture.open().close();
  fixture.output.take();
  fixture.receive("00 01 03 01 61");
  assert.deepEqual(fixture.output.take(), []);
  assert.deepEqual(fixture.told, []);
  assert.equal(fixture.link.counters.strayData, 1);
});

test("late DATA of a closed channel does not reach the next client", () => {
  const fixture = listening();
  fixture.open().close();
  fixture.open();
  fixture.receive("00 01 03 01 61");
  assert.deepEqual(fixture.told, []);
});

test("DATA for an id that never was is answered with CLOSE", () => {
  const fixture = listening();
  fixture.receive("00 01 03 2a 61");
  assert.deepEqual(fixture.output.take(), ["00 00 02 2a"]);
});

test("CLOSE for an id that is not in use, a knock, is answered with CLOSE", () => {
  const fixture = listening();
  fixture.receive("00 00 02 00");
  assert.deepEqual(fixture.output.take(), ["00 00 02 00"]);
  assert.equal(fixture.link.counters.strayClose, 1);
  assert.equal(fixture.link.freeIds, 256);
});

test("frames of no meaning are passed over and counted", () => {
  const fixture = listening();
  fixture.receive("00 00 63 01 00 00 03 01 00 00 00 00");
  assert.equal(fixture.link.counters.ignored, 2);
  assert.deepEqual(fixture.output.take(), []);
});

test("a challenge is one byte for an id that is kept apart until the device closes it", () => {
  const fixture = listening();
  assert.equal(fixture.link.challenge(), true);
  assert.deepEqual(fixture.output.take(), ["00 01 03 01 00"]);
  assert.equal(fixture.link.freeIds, 255);
  assert.equal(fixture.link.channelCount, 0);
  assert.equal(fixture.open().id, 2);
  fixture.output.take();
  fixture.receive("00 00 02 01");
  assert.deepEqual(fixture.output.take(), []);
  assert.equal(fixture.link.freeIds, 255);
});
