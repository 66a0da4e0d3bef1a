import assert from "node:assert/strict";
import { ACK_PROBE_MS, ACK_TIMEOUT_MS, MAX_KEPT_CONTROL } from "./limits.ts";
import { UnansweredError } from "../errors.ts";
import { V2Command } from "./wire/commands.ts";
import { listenFrame } from "./wire/messages.ts";
import { concat } from "../bytes.ts";
import { ack, connectOf, DeviceRig, protocolError, sent, ServerRig, uintOf, v2FrameOf } from "./_fakes_test.ts";
import { test } from "../../tests/rig/test.ts";

/** A PONG to the PING that was sent last. */
function pongTo(rig: ServerRig | DeviceRig, position: number): Uint8Array {
  const token = uintOf(8, Math.round(rig.now * 1000));
  return v2FrameOf(V2Command.PONG, 0, concat([uintOf(8, position), token, uintOf(8, 0)]));
}

const SETTINGS = v2FrameOf(V2Command.SETTINGS, 0);

test("a peer that makes answers and acknowledges none is ended when a named bound of them is kept, in either role", () => {
  const server = new ServerRig();
  const text = "x".repeat(200);
  const answers = Array.from({ length: 256 }, (_, number) => ({ number, code: "not-granted" as const, text }));
  let kept = 0;
  let code = "nothing";
  while (code === "nothing" && kept < 2 * MAX_KEPT_CONTROL) {
    server.link.sendGrants(answers);
    server.output.take();
    kept += 8 + 256 * 204;
    code = protocolError(() => server.receive(listenFrame([])));
  }
  assert.equal(code, "not-acknowledged");
  assert(kept > MAX_KEPT_CONTROL && kept < MAX_KEPT_CONTROL + 200_000, `${kept} bytes were kept`);
  assert.deepEqual(sent(server).map((frame) => frame.split(" ")[0]), [`${V2Command.GOODBYE}`]);

  const device = new DeviceRig();
  code = "nothing";
  kept = 0;
  for (let id = 1; code === "nothing" && kept < 2 * MAX_KEPT_CONTROL; id++) {
    code = protocolError(() => device.receive(connectOf(id)));
    if (code !== "nothing") break;
    device.link.accept(device.opened.at(-1)!.channel.channel);
    device.opened.pop()!.channel.channel.close("service-refused", text);
    device.output.take();
    kept += 13 + 9 + text.length;
  }
  assert.equal(code, "not-acknowledged");
});

test("a peer that acknowledges as it should is never ended, however much is sent to it", () => {
  const server = new ServerRig();
  const answers = Array.from(
    { length: 256 },
    (_, number) => ({ number, code: "granted" as const, text: "x".repeat(100) }),
  );
  for (let sum = 0; sum < 3 * MAX_KEPT_CONTROL;) {
    server.link.sendGrants(answers);
    sum += 8 + 256 * 104;
    server.receive(ack(sum));
    server.output.take();
  }
});

test("while much waits for acknowledgements no new channels add to it", () => {
  const server = new ServerRig({ maxChannels: 65_536 });
  let opened = 0;
  while (server.link.open(1, "192.0.2.1:5", "0.0.0.0:2201")) {
    opened++;
    server.output.take();
  }
  assert(opened > 20_000 && opened < 65_536, `${opened} were opened`);
});

test("a peer that was asked to acknowledge and sends other things is asked by a PING, once", () => {
  const rig = new ServerRig({ nagle: true });
  rig.link.sendGrants([]);
  rig.output.take();
  rig.now += ACK_PROBE_MS - 1;
  rig.receive(SETTINGS);
  assert.deepEqual(sent(rig), []);
  rig.now++;
  rig.receive(SETTINGS);
  rig.receive(SETTINGS);
  assert.deepEqual(sent(rig), [`${V2Command.PING} 0 16`]);
  rig.receive(pongTo(rig, 8));
  rig.now += ACK_TIMEOUT_MS;
  rig.receive(SETTINGS);
  assert.deepEqual(sent(rig), [], "all is acknowledged");
});

test("a PONG that acknowledges less than what stood before its PING is a bad position", () => {
  const rig = new ServerRig();
  rig.link.sendGrants([]);
  rig.now++;
  rig.link.ping();
  rig.output.take();
  assert.equal(protocolError(() => rig.receive(pongTo(rig, 7))), "bad-position");
  const other = new ServerRig();
  other.link.sendGrants([]);
  other.now++;
  other.link.ping();
  other.link.sendGrants([]);
  assert.equal(protocolError(() => other.receive(pongTo(other, 8))), "nothing");
});

test("a peer that sends, and answers neither that nor a PING, is lost: its session may go on over another link", () => {
  const rig = new DeviceRig({ nagle: true });
  rig.link.listen([]);
  rig.now += ACK_PROBE_MS;
  rig.receive(SETTINGS);
  rig.now += ACK_TIMEOUT_MS - ACK_PROBE_MS - 1;
  rig.receive(SETTINGS);
  rig.now++;
  assert.throws(() => rig.receive(SETTINGS), UnansweredError);
});

test("a machine that slept asks first, and gives the peer its time", () => {
  const rig = new DeviceRig({ nagle: true });
  rig.link.listen([]);
  rig.output.take();
  rig.now += 10 * ACK_TIMEOUT_MS;
  rig.receive(SETTINGS, SETTINGS);
  assert.deepEqual(sent(rig), [`${V2Command.PING} 0 16`]);
  rig.now += ACK_TIMEOUT_MS - ACK_PROBE_MS - 1;
  rig.receive(SETTINGS);
});
