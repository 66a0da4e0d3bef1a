import assert from "node:assert/strict";
import { V2_EARLY_CREDIT } from "./limits.ts";
import type { Link } from "../link.ts";
import { concat } from "../bytes.ts";
import {
  ack,
  connected,
  connectOf,
  credit,
  data,
  DeviceRig,
  fieldOf,
  refused,
  sent,
  ServerRig,
  uintOf,
  v2FrameOf,
} from "./_fakes_test.ts";
import { hex, unhex } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";

const CLOSE = 0x02, DATA = 0x03, LISTEN = 0x04, END = 0x06;
const GOODBYE = 0x44, PING = 0x46, PONG = 0x47;

test("a server opens a channel with CONNECT, and may send 16 KiB before its RESULT", () => {
  const rig = new ServerRig();
  const channel = rig.link.open(7, "192.0.2.1:5", "0.0.0.0:2201");
  assert(channel);
  const [frame = ""] = rig.output.take();
  assert.equal(frame.slice(6, 8), "01");
  assert.equal(frame.slice(12, 38), "00 00 00 01 01 00 02 00 07");
  assert.equal(channel.room, V2_EARLY_CREDIT);
  rig.receive(connected(1, 1_000));
  assert.equal(channel.room, 1_000);
});

test("a RESULT with less credit than was sent already makes the server wait until CREDIT has made up for it", async () => {
  const rig = new ServerRig();
  const client = rig.open();
  client.send(new Uint8Array(5_000));
  rig.receive(connected(1, 4_000));
  assert.equal(client.channel.room, 0);
  let woken = false;
  const writable = client.channel.writable().then(() => woken = true);
  rig.receive(credit(1, 1_000));
  await Promise.resolve();
  assert.deepEqual([client.channel.room, woken], [0, false]);
  rig.receive(credit(1, 30));
  await writable;
  assert.equal(client.channel.room, 30);
});

test("channel numbers go up from 1, and skip what is open", () => {
  const rig = new ServerRig();
  assert.deepEqual([rig.open(), rig.open(), rig.open()].map(({ channel }) => channel.id), [1, 2, 3]);
  rig.receive(refused(2, 13));
  assert.equal(rig.open().channel.id, 4);
});

test("a device hears what a client wants, accepts with credit, and bytes go both ways", () => {
  const rig = new DeviceRig();
  rig.receive(connectOf(9, 5_000), v2FrameOf(DATA, 9, unhex("68 69")));
  const [opened] = rig.opened;
  assert.deepEqual(opened?.request, { service: 1, client: "192.0.2.1:5", hostAddress: "0.0.0.0:2201", credit: 5_000 });
  assert.deepEqual(opened.channel.heard, ["data 68 69"]);
  assert.equal(opened.channel.channel.room, 5_000);
  rig.link.accept(opened.channel.channel);
  rig.link.accept(opened.channel.channel);
  assert.deepEqual(rig.output.take().map((frame) => frame.slice(6).replace(" 01 ", " 00 ")), [
    "05 00 00 00 00 09 00 00 01 00 00",
  ]);
  opened.channel.send(unhex("6f 6b"));
  assert.deepEqual(sent(rig), ["3 9 2"]);
});

test("a refused CONNECT is answered by a RESULT, and whoever waited is told why", () => {
  const device = new DeviceRig();
  device.receive(connectOf(3));
  device.opened[0]!.channel.channel.close("service-refused", "no");
  assert.deepEqual(device.output.take().map((frame) => frame.slice(6).replace(" 01 ", " 00 ")), [
    "05 00 00 00 00 03 0d 00 00 00 00 6e 6f",
  ]);
  assert.equal(device.link.channelCount, 0);
  assert.equal(device.budget.granted, 0);

  const server = new ServerRig();
  const client = server.open();
  server.receive(refused(1, 13));
  assert.deepEqual(server.heard, ["unreachable 1 no"]);
  assert.deepEqual(client.heard, ["over service-refused"]);
  assert.equal(server.budget.granted, 0);
  assert.deepEqual(sent(server), []);
});

test("a channel that was accepted ends with CLOSE, which is not answered", () => {
  const device = new DeviceRig();
  const channel = device.accept(3);
  channel.channel.close("service-reset");
  channel.channel.close("service-closed");
  assert.deepEqual(sent(device), ["2 3 1"]);
  const server = new ServerRig();
  const client = server.open();
  server.receive(v2FrameOf(CLOSE, 1, Uint8Array.of(4)));
  assert.deepEqual(client.heard, ["over service-reset"]);
  assert.deepEqual(sent(server), []);
});

test("an accepted channel whose client has gone meanwhile is not answered for", () => {
  const rig = new DeviceRig();
  rig.receive(connectOf(3), v2FrameOf(CLOSE, 3, Uint8Array.of(1)));
  rig.link.accept(rig.opened[0]!.channel.channel);
  assert.deepEqual(sent(rig), []);
  assert.deepEqual(rig.opened[0]!.channel.heard, ["over client-closed"]);
});

test("both directions end apart, in either order, and the channel is gone when both have", () => {
  for (const first of ["own", "peer"]) {
    const rig = new DeviceRig();
    const service = rig.accept(3);
    if (first === "own") service.channel.end();
    rig.receive(v2FrameOf(END, 3), v2FrameOf(END, 3));
    if (first === "peer") {
      assert.equal(rig.link.channelCount, 1);
      service.send(unhex("61"));
      service.channel.end();
    }
    service.channel.end();
    assert.deepEqual(sent(rig), first === "own" ? ["6 3 0"] : ["3 3 1", "6 3 0"]);
    assert.deepEqual(service.heard, ["end"]);
    assert.equal(service.channel.open, false);
    assert.equal(rig.link.channelCount, 0);
    assert.equal(rig.budget.granted, 0);
    service.channel.close("service-closed");
    rig.link.end("link-lost");
    assert.deepEqual(service.heard, ["end"], "it ended, and ended again");
    assert.deepEqual(sent(rig), []);
  }
});

test("bytes go on to a side that has ended its own direction, with credit for them", () => {
  const rig = new DeviceRig();
  const service = rig.accept(3);
  service.channel.end();
  rig.output.take();
  rig.receive(data(3, 65_535));
  service.channel.consumed(65_535);
  assert.deepEqual(sent(rig).filter((frame) => frame.startsWith("7 ")), ["7 3 4"]);
  service.send(unhex("61"));
  assert.deepEqual(sent(rig), [], "it sent behind its own END");
});

test("frames of channels that are not open are dropped: they were on their way", () => {
  for (const rig of [new ServerRig(), new DeviceRig()]) {
    rig.receive(data(5, 3), v2FrameOf(END, 5), credit(5, 9), v2FrameOf(CLOSE, 5, Uint8Array.of(1)), data(6, 1));
    if (rig instanceof ServerRig) rig.receive(connected(5, 9), refused(6, 5));
    assert.deepEqual(rig.heard, []);
    assert.deepEqual(sent(rig), []);
    assert.equal(rig.link.channelCount, 0);
  }
});

test("a flagged frame is acknowledged once per read, with all that came, and an unflagged one is not", () => {
  const rig = new DeviceRig();
  rig.accept(1);
  const before = connectOf(1).length;
  const flagged = v2FrameOf(DATA, 1, unhex("61"), 1);
  rig.receive(flagged, flagged, data(1, 5));
  assert.deepEqual(rig.output.take(), [hex(ack(before + 9 + 9 + 13))]);
  rig.receive(data(1, 5));
  assert.deepEqual(sent(rig), []);
  rig.receive(v2FrameOf(0xc5, 0, unhex("00"), 1));
  assert.deepEqual(
    rig.output.take(),
    [hex(ack(before + 9 + 9 + 13 + 13))],
    "a skipped frame that asked is answered too",
  );
});

test("a side behind Nagle's algorithm asks for an answer to every small numbered frame", () => {
  const rig = new ServerRig({ nagle: true });
  rig.link.open(1, "a:1", "b:2");
  rig.link.sendGrants([{ number: 1, code: "granted", text: "b:2" }]);
  rig.link.sendSettings({ mode: "run" });
  const flags = rig.output.take().map((frame) => frame.slice(9, 11));
  assert.deepEqual(flags, ["01", "01", "01"]);
});

test("a side behind Nagle's algorithm acknowledges by a PING: its answer lets out what is small behind it", () => {
  const rig = new DeviceRig({ nagle: true });
  const flagged = v2FrameOf(DATA, 1, unhex("61"), 1);
  rig.receive(connectOf(1), flagged);
  const position = connectOf(1).length + 9;
  const asking = (more: number) => hex(v2FrameOf(PING, 0, concat([uintOf(8, position + more), uintOf(8, 0)])));
  assert.deepEqual(rig.output.take(), [asking(0)]);
  // It measures nothing, and no other waits for its answer.
  rig.receive(flagged, flagged);
  assert.deepEqual(rig.output.take(), [asking(18)]);
  rig.receive(v2FrameOf(PONG, 0, concat([uintOf(8, 0), uintOf(8, 0), uintOf(8, rig.wallClock)])));
  assert.deepEqual([rig.link.roundTrip, rig.output.take()], [undefined, []]);
});

test("PING is answered with PONG at once: its token, this side's position and its clock", () => {
  const rig = new DeviceRig();
  rig.receive(connectOf(1), v2FrameOf(PING, 0, concat([uintOf(8, 0), unhex("01 02 03 04 05 06 07 ff")])));
  const payload = concat([uintOf(8, connectOf(1).length), unhex("01 02 03 04 05 06 07 ff"), uintOf(8, rig.wallClock)]);
  assert.deepEqual(rig.output.take(), [hex(v2FrameOf(PONG, 0, payload))]);
});

test("PONG tells the round trip and the peer's clock, and one that nobody asked for tells nothing", () => {
  const rig = new ServerRig();
  rig.now = 1_234.5678;
  rig.link.ping();
  const token = unhex(rig.output.take()[0]!).slice(16);
  rig.now += 30;
  rig.wallClock += 30;
  rig.receive(v2FrameOf(PONG, 0, concat([uintOf(8, 0), token, uintOf(8, rig.wallClock - 15 + 5_000)])));
  assert(Math.abs(rig.link.roundTrip! - 30) < 0.01, `${rig.link.roundTrip} ms`);
  assert.equal(rig.link.clockOffset, 5_000);
  const other = new ServerRig();
  other.receive(v2FrameOf(PONG, 0, concat([uintOf(8, 0), new Uint8Array(8).fill(255), uintOf(8, 1)])));
  assert.equal(other.link.roundTrip, undefined);
  assert.equal(other.link.clockOffset, undefined);
});

test("GOODBYE is the last frame: what stands behind it is not looked at", () => {
  const device = new DeviceRig();
  const goodbye = v2FrameOf(GOODBYE, 0, concat([fieldOf(1, Uint8Array.of(2)), fieldOf(2, unhex("68 69"))]));
  device.receive(goodbye, connectOf(1), v2FrameOf(0x20, 0));
  assert.deepEqual(device.heard, ["goodbye replaced hi"]);
  assert.deepEqual(device.opened, []);
});

test("a link that is over opens nothing, whatever is left of the chunk that ended it", () => {
  const rig = new ServerRig();
  const client = rig.open();
  client.channel.receiver = {
    onData: () => rig.link.end("link-lost"),
    onEnd: (reason) => void client.heard.push(reason),
  };
  rig.receive(connected(1, 65_536), data(1, 3), v2FrameOf(LISTEN, 0, unhex("00 01 01 01 61")), data(1, 3));
  rig.receive(v2FrameOf(LISTEN, 0, unhex("00 01 01 01 61")));
  assert.deepEqual(rig.heard, []);
  assert.deepEqual(client.heard, ["link-lost"]);
  assert.equal(rig.budget.granted, 0);
});

test("the end of a link ends its channels once, gives all back, and sends nothing", async () => {
  for (const rig of [new ServerRig(), new DeviceRig()]) {
    const channels = rig instanceof ServerRig ? [rig.open(), rig.open()] : [rig.accept(1), rig.accept(2)];
    const link: Link = rig.link;
    for (const { channel } of channels) {
      while (channel.room > 0) channel.send(new Uint8Array(8 + channel.room), channel.room);
    }
    const waiting = channels.map(({ channel }) => channel.writable());
    rig.output.take();
    link.end("link-lost");
    link.end("shutting-down");
    await Promise.all(waiting);
    assert.deepEqual(channels.map(({ heard }) => heard), [["over link-lost"], ["over link-lost"]]);
    assert.equal(rig.budget.granted, 0);
    assert.deepEqual(sent(rig), []);
  }
});

test("a link refuses channels beyond its number, and beyond what can be granted", () => {
  const server = new ServerRig({ maxChannels: 1 });
  server.open();
  assert.equal(server.link.open(1, "a:1", "b:1"), undefined);
  assert.equal(new ServerRig({ bound: 0 }).link.open(1, "a:1", "b:1"), undefined);
  const device = new DeviceRig({ maxChannels: 1 });
  device.receive(connectOf(1), connectOf(2));
  const poor = new DeviceRig({ bound: 0 });
  poor.receive(connectOf(2), data(2, 16_384), v2FrameOf(END, 2));
  for (const rig of [device, poor]) {
    assert.deepEqual(rig.output.take().map((frame) => frame.slice(12)), ["00 00 00 02 08 00 00 00 00"]);
  }
  assert.equal(device.opened.length, 1);
  assert.equal(poor.opened.length, 0);
});

test("services and answers, settings and goodbyes are told to the owner", () => {
  const server = new ServerRig();
  server.receive(v2FrameOf(LISTEN, 0, unhex("00 01 01 03 73 73 68")), v2FrameOf(0x08, 0, unhex("03 00 01 02")));
  assert.deepEqual(server.heard, ['offers [{"number":1,"offered":true,"name":"ssh"}]', 'settings {"mode":"run"}']);
  const device = new DeviceRig();
  device.receive(v2FrameOf(LISTEN, 0, unhex("00 01 02 01 78")), v2FrameOf(0x08, 0, unhex("04 00 01 01")));
  assert.deepEqual(device.heard, [
    'grants [{"number":1,"code":"port-unavailable","text":"x"}]',
    'settings {"wantedMode":"config"}',
  ]);
});
