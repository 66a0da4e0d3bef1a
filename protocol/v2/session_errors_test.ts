import assert from "node:assert/strict";
import { FRAME_LOAD_BURST, FRAME_LOAD_PER_MS, MAX_WINDOW, V2_EARLY_CREDIT } from "./limits.ts";
import { concat } from "../bytes.ts";
import {
  ack,
  connected,
  connectOf,
  credit,
  data,
  DeviceRig,
  protocolError,
  ServerRig,
  uintOf,
  v2FrameOf,
} from "./_fakes_test.ts";
import { test } from "../../tests/rig/test.ts";
import { unhex } from "../../tests/rig/bytes.ts";

const CONNECT = 0x01, CLOSE = 0x02, LISTEN = 0x04, END = 0x06, CREDIT = 0x07;
const GOODBYE = 0x44, ACK = 0x45, PING = 0x46, PONG = 0x47;

test("what breaks the protocol ends the link with its code, and the peer is told", () => {
  const faults: [string, string, (rig: DeviceRig) => Uint8Array[]][] = [
    ["CONNECT twice", "bad-channel", () => [connectOf(1), connectOf(1)]],
    ["CONNECT for the link itself", "bad-channel", () => [connectOf(0)]],
    ["DATA for the link itself", "bad-channel", () => [data(0, 1)]],
    ["END for the link itself", "bad-channel", () => [v2FrameOf(END, 0)]],
    ["CREDIT for the link itself", "bad-channel", () => [v2FrameOf(CREDIT, 0, uintOf(4, 1))]],
    ["CLOSE for the link itself", "bad-channel", () => [v2FrameOf(CLOSE, 0, unhex("01"))]],
    ["DATA behind END", "wrong-direction", () => [connectOf(1), v2FrameOf(END, 1), data(1, 1)]],
    [
      "more than the early credit before the RESULT",
      "credit-exceeded",
      () => [connectOf(1), data(1, 16_384), data(1, 1)],
    ],
    ["such a frame", "credit-exceeded", () => [connectOf(1), data(1, 16_385)]],
    ["more credit than a channel can have", "credit-exceeded", () => [connectOf(1, 4_294_967_295), credit(1, 1)]],
    ["RESULT to a device", "wrong-direction", () => [connected(1, 1)]],
    ["WELCOME on a link that is up", "wrong-direction", () => [v2FrameOf(0x43, 0)]],
    ["an acknowledgement of what was never sent", "bad-position", () => [ack(1)]],
    ["PING with such a position", "bad-position", () => [v2FrameOf(PING, 0, concat([uintOf(8, 99), uintOf(8, 0)]))]],
    [
      "PONG with such a position",
      "bad-position",
      () => [v2FrameOf(PONG, 0, concat([uintOf(8, 99), uintOf(8, 0), uintOf(8, 0)]))],
    ],
    ["a position that no number can hold", "bad-position", () => [v2FrameOf(ACK, 0, new Uint8Array(8).fill(255))]],
    ["an acknowledgement that goes back", "bad-position", (rig) => {
      rig.link.listen([{ number: 1, offered: true, name: "ssh" }]);
      return [ack(5), ack(4)];
    }],
    ["END with a payload", "bad-size", () => [v2FrameOf(END, 1, unhex("00"))]],
    ["CREDIT of 3 bytes", "bad-size", () => [v2FrameOf(CREDIT, 1, unhex("00 00 01"))]],
    ["ACK of 4 bytes", "bad-size", () => [v2FrameOf(ACK, 0, uintOf(4, 0))]],
    ["PING of 8 bytes", "bad-size", () => [v2FrameOf(PING, 0, uintOf(8, 0))]],
    ["PONG of 16 bytes", "bad-size", () => [v2FrameOf(PONG, 0, new Uint8Array(16))]],
    ["CLOSE without a reason", "bad-size", () => [v2FrameOf(CLOSE, 1)]],
    ["LISTEN that is cut", "bad-size", () => [v2FrameOf(LISTEN, 0, unhex("00 01 00"))]],
    ["CONNECT without fields", "bad-field", () => [v2FrameOf(CONNECT, 1)]],
    ["GOODBYE without a code", "bad-field", () => [v2FrameOf(GOODBYE, 0)]],
    ["an unknown command", "unknown-command", () => [v2FrameOf(0x09, 0)]],
  ];
  for (const [what, code, frames] of faults) {
    const rig = new DeviceRig();
    const bytes = frames(rig);
    rig.output.take();
    assert.equal(protocolError(() => rig.receive(...bytes)), code, what);
    const last = rig.output.take().at(-1) ?? "";
    assert.equal(last.slice(6, 8), "44", `${what}: no GOODBYE`);
    assert.equal(last.slice(24, 35), "01 00 01 0c", `${what}: another goodbye`);
  }
});

test("a server refuses RESULT for the link itself, and a second one for a channel", () => {
  assert.equal(protocolError(() => new ServerRig().receive(connected(0, 1))), "bad-channel");
  const rig = new ServerRig();
  rig.link.open(1, "192.0.2.1:1", "0.0.0.0:1");
  assert.equal(protocolError(() => rig.receive(connected(1, 65_536), connected(1, 65_536))), "wrong-direction");
});

test("the channel of a frame of the link itself is not looked at", () => {
  const rig = new DeviceRig();
  assert.equal(protocolError(() => rig.receive(v2FrameOf(ACK, 7, uintOf(8, 0)))), "nothing");
});

test("a server refuses what only a server may send", () => {
  const rig = new ServerRig();
  assert.equal(protocolError(() => rig.receive(connectOf(1))), "wrong-direction");
  for (const command of [0x40, 0x41, 0x42, 0x43]) {
    assert.equal(protocolError(() => new ServerRig().receive(v2FrameOf(command, 0))), "wrong-direction");
  }
});

test("the first window is granted to the byte, early bytes included, and credit to the byte after that", () => {
  const rig = new DeviceRig();
  const service = rig.accept(1);
  rig.receive(data(1, 65_535), data(1, 1));
  assert.equal(protocolError(() => rig.receive(data(1, 1))), "credit-exceeded");
  const again = new DeviceRig();
  const other = again.accept(1);
  again.receive(data(1, 65_535), data(1, 1));
  other.channel.consumed(65_536);
  const grants = again.output.take().filter((frame) => frame.slice(6, 8) === "07");
  assert.equal(grants.length, 1);
  const more = parseInt(grants[0]!.slice(24).replaceAll(" ", ""), 16);
  assert(more > 0 && more <= MAX_WINDOW);
  for (let left = more; left > 0; left -= 65_535) again.receive(data(1, Math.min(left, 65_535)));
  assert.equal(protocolError(() => again.receive(data(1, 1))), "credit-exceeded");
  assert.equal(service.channel.bytesReceived, 65_536);
});

test("a channel that begins with a small window takes the 16 KiB that the server may send before it knows, and no more", () => {
  for (const beyond of [0, 1]) {
    const rig = new DeviceRig({ bound: 300_000 });
    rig.receive(connectOf(1), connectOf(2), connectOf(3));
    assert(rig.opened[2]!.channel.channel.window.reserved < V2_EARLY_CREDIT, "there is nothing to see");
    const code = protocolError(() => rig.receive(data(3, V2_EARLY_CREDIT), ...(beyond ? [data(3, 1)] : [])));
    assert.equal(code, beyond ? "credit-exceeded" : "nothing");
  }
});

test("a server takes nothing of a channel before its RESULT but CLOSE", () => {
  for (const frame of [data(1, 1), v2FrameOf(END, 1), credit(1, 1)]) {
    const rig = new ServerRig();
    const client = rig.open();
    assert.equal(protocolError(() => rig.receive(frame)), "wrong-direction");
    assert.deepEqual(client.heard, [], "the client got something");
  }
  const rig = new ServerRig();
  const client = rig.open();
  rig.receive(v2FrameOf(CLOSE, 1, Uint8Array.of(13)), connected(1, 65_536), data(1, 5));
  assert.deepEqual(client.heard, ["over service-refused"]);
});

test("the first window is the device's to give, and the server may use all of it once it is told", () => {
  const rig = new DeviceRig();
  rig.receive(connectOf(1), data(1, V2_EARLY_CREDIT));
  rig.link.accept(rig.opened[0]!.channel.channel);
  rig.receive(data(1, 65_536 - V2_EARLY_CREDIT));
  assert.equal(protocolError(() => rig.receive(data(1, 1))), "credit-exceeded");
});

test("credit may come to 4 GiB less a byte on a channel, unused; what was used makes room for more", () => {
  const rig = new DeviceRig();
  const { channel } = rig.accept(1, 4_294_967_295);
  rig.receive(credit(1, 0));
  channel.send(new Uint8Array(8 + 100), 100);
  rig.receive(credit(1, 100));
  assert.equal(protocolError(() => rig.receive(credit(1, 1))), "credit-exceeded");
});

test("credit for a side that has ended came too late, and that in a RESULT that fails is not looked at", () => {
  const device = new DeviceRig();
  const { channel } = device.accept(1, 0);
  channel.end();
  device.receive(credit(1, 1_000));
  assert.equal(channel.room, 0);
  const server = new ServerRig();
  const client = server.open();
  server.receive(v2FrameOf(0x05, 1, Uint8Array.of(5, 255, 255, 255, 255)));
  assert.deepEqual(client.heard, ["over service-unreachable"]);
});

test("a second END is passed over", () => {
  const rig = new DeviceRig();
  const service = rig.accept(1);
  rig.receive(v2FrameOf(END, 1), v2FrameOf(END, 1));
  assert.deepEqual(service.heard, ["end"]);
});

test("a peer that floods its link with frames that mean nothing here is read more slowly, as with any other", () => {
  for (const rig of [new DeviceRig(), new ServerRig()]) {
    const flood = v2FrameOf(0xc0, 0);
    const chunk = concat(Array<Uint8Array>(FRAME_LOAD_BURST / 100).fill(flood));
    for (let n = 0; n < 100; n++) rig.receive(chunk);
    assert.equal(rig.link.pause(rig.now), 0);
    rig.receive(chunk);
    assert.equal(rig.link.pause(rig.now), chunk.length / flood.length / FRAME_LOAD_PER_MS);
  }
});
