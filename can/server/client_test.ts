/**
 * Clients on a bus: how they come, what they see, and how they go.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ERROR } from "../frame.ts";
import { concat } from "../../protocol/bytes.ts";
import { ascii } from "../../tests/rig/bytes.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";
import { CAN_LINGER_MS, CAN_OPEN_TIMEOUT_MS, CAN_SEND_TIMEOUT_MS, MAX_CLIENT_FRAMES } from "../limits.ts";
import { bytes, frame, hexOf } from "../wires/_wire_fixture_test.ts";
import { Bench } from "./_server_fixture_test.ts";

const R4 = bytes("01 04 0001e848 0a00");
const R5 = bytes("01 05 0007a120 0a00");
const R4_FRAME = bytes("03 0000000000000000 00000123 02 00 0102000000000000");
const CANNELLONI = ascii("CANNELLONIv1");
const RAW = "< open can0 >< rawmode >";
const SOCKET = ascii(
  "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: IpHYzcMQQR5+wnN4pmHJNQ==\r\nSec-WebSocket-Protocol: can.binary+json.v1\r\n\r\n",
);
/** `{"type": "bus_request", …}`, with a mask of zeros. */
function busRequest(config = "{}"): Uint8Array {
  const text = ascii(`{"type":"bus_request","payload":{"config":${config}}}`);
  return concat([Uint8Array.of(0x81, 0x80 | text.length, 0, 0, 0, 0), text]);
}
const W1 = concat([SOCKET, busRequest()]);

test("who says nothing for 300 ms is greeted as socketcand does, and who says something is not", async () => {
  await using bench = new Bench();
  const silent = await bench.client();
  const early = await bench.client();
  const slow = await bench.client();
  await early.send(R4);
  await slow.send("GE");
  early.take();
  await bench.clock.advance(299);
  assert.equal(silent.text(), "");
  await bench.clock.advance(1);
  assert.deepEqual([silent.text(), early.text(), slow.text()], ["< hi >", "", ""]);
  await silent.send("< open can0 >");
  assert.equal(silent.text(), "< ok >");
});

test("a client that ends its side is answered at once, on a bus that talks", async () => {
  await using bench = new Bench();
  for (const opening of [R4, R5, CANNELLONI, ascii(RAW), W1]) {
    const client = await bench.opened(opening);
    await bench.hear(frame(0x123, [1]));
    await client.finish();
    assert.equal(client.end, "closed", hexOf(opening.subarray(0, 4)));
    assert.equal(await client.ended, "the client has ended");
  }
});

test("a WebSocket's CLOSE is answered, then this side ends, and the client has time to go", async () => {
  await using bench = new Bench();
  const client = await bench.opened(W1);
  await client.send(bytes("88 80 00000000"));
  assert.equal(hexOf(client.take()), "880203e8");
  assert.equal(client.end, "half");
  await bench.clock.advance(CAN_LINGER_MS);
  assert.equal(client.end, "closed");
});

test("no frame comes for 100 ms behind the answer to rawmode; then all do, in order", async () => {
  await using bench = new Bench();
  const client = await bench.client();
  await client.send(RAW);
  assert.equal(client.text(), "< hi >< ok >< ok >");
  await bench.hear(frame(0x123, [1], 0, 1), frame(0x123, [2], 0, 2));
  await bench.clock.advance(99);
  assert.equal(client.text(), "");
  await bench.clock.advance(1);
  assert.equal(client.text(), "< frame 123 1.000000 01 >< frame 123 2.000000 02 >");
  await bench.hear(frame(0x123, [], 0, 3));
  assert.equal(client.text(), "< frame 123 3.000000  >");
});

test("what one client sends the bus and the others see, and itself only if it wants to", async () => {
  await using bench = new Bench();
  const sender = await bench.opened(R4);
  const other = await bench.opened(CANNELLONI);
  const own = await bench.opened(concat([SOCKET, busRequest('{"receive_own_messages":true}')]));
  const filtered = await bench.opened(bytes("01 04 0001e848 0a01 00000122 000007ff"));
  await sender.send(R4_FRAME);
  assert.equal(bench.backend.frames.length, 1);
  assert.equal(hexOf(sender.take()), "");
  assert.equal(hexOf(other.take()), "00000123020102");
  assert.equal(hexOf(filtered.take()), "");
  assert.match(hexOf(own.take()), /^8211.{18}0000012302000102$/);
  await own.send(concat([bytes("82 90 00000000 01 0000000000000000 00000122 01 00 07")]));
  assert.match(hexOf(own.take()), /00000122010007$/);
  assert.match(hexOf(filtered.take()), /^03.{16}0000012201000700/);
});

test("a client that is slow loses the oldest frames, hears so, and stops nobody", async () => {
  await using bench = new Bench();
  const slow = await bench.opened(CANNELLONI);
  const quick = await bench.opened(CANNELLONI);
  slow.stalled = true;
  await bench.hear(frame(0x7ff)); // its write stands still
  const count = MAX_CLIENT_FRAMES + 1_000;
  for (let i = 0; i < count; i++) {
    bench.backend.listener!.frame(frame(0x100, [i >> 8, i & 255]));
    if (i % 1_000 === 0) await settled();
  }
  await settled();
  assert.equal(quick.take().length, 5 + 7 * count, "all of them");
  assert.equal(slow.served.lost, 1_000);
  assert.deepEqual(bench.said.filter((line) => line.includes("loses")), ["client-0 loses"]);
  slow.take();
  await slow.resume();
  const text = hexOf(slow.take());
  assert.ok(
    text.startsWith("000007ff00" + "2000000408" + "0001000000000000" + "0000010002" + "03e8"),
    text.slice(0, 80),
  );
  assert.ok(text.endsWith((count - 1).toString(16).padStart(4, "0")));
  assert.equal(slow.served.lost, 1_000);
});

test("trouble of the bus reaches each client in its own words", async () => {
  await using bench = new Bench();
  const r4 = await bench.opened(R4);
  const web = await bench.opened(W1);
  const socketcand = await bench.opened(RAW);
  const cannelloni = await bench.opened(CANNELLONI);
  bench.backend.listener!.trouble("can0 is down", false);
  await settled();
  assert.equal(hexOf(r4.take()), "060c" + hexOf(ascii("can0 is down")));
  assert.equal(socketcand.text(), "< error can0 is down >");
  assert.match(web.text(), /"error","payload":"can0 is down"/);
  assert.deepEqual([r4, socketcand, cannelloni, web].map(({ end }) => end), ["half", "half", "half", "none"]);
  bench.backend.listener!.trouble("can0 is gone", true);
  await settled();
  assert.equal(hexOf(web.take()), "880e03f3" + hexOf(ascii("can0 is gone")));
  assert.equal(bench.backend.listener, undefined, "it is closed");
});

test("a bus that cannot be opened is refused in the client's words, and may be there for the next", async () => {
  await using bench = new Bench();
  bench.backend.broken = "no such channel";
  const refused = async (opening: Uint8Array | string, choice?: "slcan") => {
    const client = await bench.client(choice);
    await client.send(opening);
    return client;
  };
  assert.equal(hexOf((await refused(R4)).take()), "060f6e6f2073756368206368616e6e656c");
  assert.match(hexOf((await refused(W1)).take()), /881103f36e6f2073756368206368616e6e656c$/);
  assert.equal((await refused("< open can0 >")).text(), "< hi >< error could not open bus >");
  const slcan = await refused("O\r", "slcan");
  assert.deepEqual([slcan.text(), slcan.end], ["\x07", "none"]);
  bench.backend.broken = undefined;
  await slcan.send("O\r");
  assert.equal(slcan.text(), "\r");
});

test("the first client says the bitrate unless it is fixed, and the bus closes behind the last", async () => {
  await using bench = new Bench();
  const first = await bench.opened(R4);
  const second = await bench.opened(R5);
  await first.finish();
  assert.deepEqual(bench.backend.opened.map(({ bitrate }) => bitrate), [125_000]);
  assert.ok(bench.backend.listener);
  await second.finish();
  assert.equal(bench.backend.listener, undefined);
  await bench.opened(R5);
  assert.deepEqual(bench.backend.opened.map(({ bitrate }) => bitrate), [125_000, 500_000]);
  await using fixed = new Bench({ bitrate: 250_000 });
  await fixed.opened(R5);
  assert.equal(fixed.backend.opened[0]?.bitrate, 250_000);
});

test("frames that the bus does not take are told to who sent them", async () => {
  await using bench = new Bench();
  const r4 = await bench.opened(R4);
  const web = await bench.opened(W1);
  bench.backend.deaf = "can0 has no CAN FD";
  await r4.send(R4_FRAME);
  await web.send(bytes("82 90 00000000 01 0000000000000000 00000122 01 00 07"));
  assert.equal(hexOf(r4.take()), "05");
  assert.match(web.text(), /"error","payload":"can0 has no CAN FD"/);
  await using deaf = new Bench({ listenOnly: true });
  const listener = await deaf.opened(R4);
  await listener.send(R4_FRAME);
  assert.equal(hexOf(listener.take()), "05");
  assert.equal(deaf.backend.frames.length, 0);
  await listener.send(bytes("03 0000000000000000 00000000 00 04 0000000000000000"));
  assert.equal(hexOf(listener.take()), "05", "an error frame is not sent either");
});

test("a full bus is tried for a second, and holds up only who sends", async () => {
  await using bench = new Bench();
  const client = await bench.opened(R4);
  const other = await bench.opened(R4);
  bench.backend.full = true;
  await client.send(R4_FRAME);
  await client.send(R4_FRAME);
  await bench.clock.advance(50);
  assert.equal(hexOf(client.take()), "");
  bench.backend.full = false;
  await bench.clock.advance(10);
  assert.equal(bench.backend.frames.length, 2);
  bench.backend.full = true;
  await client.send(R4_FRAME);
  await bench.hear(frame(1));
  assert.equal(other.take().length, 3 * 23);
  bench.clock.jump(CAN_SEND_TIMEOUT_MS);
  await settled();
  assert.match(hexOf(client.take()), /05$/);
});

test("periodic frames go out by the plan, change, and end with their client", async () => {
  await using bench = new Bench();
  const client = await bench.opened(R5);
  const start = (data: string, ms = 10) =>
    bytes(`07 ${ms.toString(16).padStart(8, "0")} 00000000 00000123 01 00 ${data}00000000000000`);
  await client.send(start("01"));
  await bench.clock.advance(100);
  assert.equal(bench.backend.frames.length, 11);
  await client.send(start("02", 1));
  await bench.clock.advance(20);
  assert.deepEqual(
    bench.backend.frames.slice(11).map(({ data }) => data[0]),
    [2, 2],
    "the data changes, the period does not",
  );
  await client.send(bytes("08 00000999 08 00000123"));
  await bench.clock.advance(100);
  assert.equal(bench.backend.frames.length, 13);
  await client.send(bytes("07 0000000a 00000019 00000123 01 00 0100000000000000"));
  await bench.clock.advance(100);
  assert.equal(bench.backend.frames.length, 16, "for 25 ms");
  await client.send(start("01"));
  await client.finish();
  await bench.clock.advance(100);
  assert.equal(bench.backend.frames.length, 17);
});

test("periodic frames of a bus are bounded, and none is faster than a millisecond", async () => {
  await using bench = new Bench();
  const client = await bench.opened(R5);
  const start = (id: number, ms: number) =>
    client.send(
      bytes(
        `07 ${ms.toString(16).padStart(8, "0")} 00000000 ${id.toString(16).padStart(8, "0")} 00 00 0000000000000000`,
      ),
    );
  await start(1, 0x8000_0000); // below zero
  assert.equal(hexOf(client.take()), "05");
  for (let id = 1; id <= 16; id++) await start(id, 1);
  assert.equal(hexOf(client.take()), "");
  await start(17, 1);
  assert.equal(hexOf(client.take()), "05");
  await client.send(bytes("08 00000001"));
  await start(17, 1);
  assert.equal(hexOf(client.take()), "");
});

test("a client that does not open the bus is ended after 30 s, but for slcan's, which may wait", async () => {
  await using bench = new Bench();
  const clients = [await bench.client(), await bench.client("socketcand"), await bench.client("slcan")];
  await clients[0]!.send("GET ");
  await bench.clock.advance(CAN_OPEN_TIMEOUT_MS);
  assert.deepEqual(clients.map(({ end }) => end), ["half", "half", "none"]);
  assert.deepEqual(bench.said, []);
  const opened = await bench.opened(R4);
  await bench.clock.advance(2 * CAN_OPEN_TIMEOUT_MS);
  assert.equal(opened.end, "none");
});

test("bytes of no wire end the client, and so does a second fault", async () => {
  await using bench = new Bench();
  const stranger = await bench.client();
  await stranger.send("SSH-2.0-OpenSSH\r\n");
  await stranger.send("more");
  assert.equal(stranger.end, "half");
  await stranger.finish();
  assert.match(await stranger.ended, /no client of CAN begins with "SSH-2.0/);
  const wrong = await bench.opened(W1);
  await wrong.send(bytes("01 80 00000000"));
  assert.match(hexOf(wrong.take()), /^88..03ea/);
});

test("a client that asks and does not read is asked nothing more", async () => {
  await using bench = new Bench();
  const client = await bench.opened(W1);
  client.stalled = true;
  const ping = concat([bytes("89 fd 00000000"), new Uint8Array(125)]);
  const flood = concat(new Array(100).fill(ping));
  for (let i = 0; i < 20; i++) await client.send(flood);
  await client.resume();
  assert.equal(client.take().length, 127 * 2_000, "and all of it later");
});

test("one that is ended and takes nothing is cut off when its time is up", async () => {
  await using bench = new Bench();
  const client = await bench.opened(W1);
  client.stalled = true;
  await bench.hear(frame(1));
  client.served.shutdown("the service ends");
  await settled();
  assert.equal(client.end, "none");
  await bench.clock.advance(CAN_LINGER_MS);
  assert.equal(client.end, "closed");
  assert.equal(await client.ended, "the service ends");
});

test("slcan's clients open and close the bus as often as they like, and hear that their frames went out", async () => {
  await using bench = new Bench();
  const client = await bench.opened("C\rS5\rO\r", "slcan");
  const other = await bench.opened(R4);
  await client.send("t1232AABB\rT000123451FF\r");
  assert.equal(client.text(), "z\rZ\r");
  assert.equal(other.take().length, 2 * 23);
  await bench.hear(frame(0x123, [1]), frame(4, [], ERROR));
  assert.equal(client.text(), "t123101\r");
  await client.send("C\r");
  await bench.hear(frame(0x123, [1]));
  assert.equal(client.text(), "\r");
  await client.send("L\r");
  await bench.hear(frame(0x123, [2]));
  await client.send("t1230\r");
  assert.equal(client.text(), "\rt123102\r\x07");
  assert.equal(bench.backend.opened[0]?.bitrate, 250_000);
});

test("a client that may not have the bus is told why", async () => {
  await using bench = new Bench();
  bench.barred = "test0 has 2 clients, and may have no more";
  const client = await bench.client();
  await client.send(R4);
  assert.equal(new TextDecoder().decode(client.take().subarray(2)), bench.barred);
  assert.equal(bench.backend.opened.length, 0);
});

test("who comes while the bus is tried waits, and no bus is open twice", async () => {
  await using bench = new Bench();
  const probing = bench.hub.probe();
  const client = await bench.opened(R4);
  await probing;
  assert.equal(bench.backend.opened.length, 2);
  assert.ok(bench.backend.listener, "the client's is open");
  await bench.hub.probe();
  assert.equal(bench.backend.opened.length, 2, "it is known to work");
  await client.finish();
  bench.backend.broken = "no such channel";
  await assert.rejects(bench.hub.probe(), /no such channel/);
});
