import assert from "node:assert/strict";
import { FRAME_BUFFER_SIZE, KEEP_WHOLE, SMALL_LOG_SIZE, V2_HEADER_SIZE } from "../limits.ts";
import { concat } from "../../bytes.ts";
import { SharedBound } from "./shared_bound.ts";
import { SendLog } from "./send_log.ts";
import { giveFrame, takeFrame } from "./frame_pool.ts";
import type { FrameFate, LinkOutput } from "../../link.ts";
import { V2Sender } from "./sender.ts";
import { WindowBudget } from "../receive_windows.ts";
import { V2ServerCore } from "../server_core.ts";
import { v2Frame } from "../wire/codec.ts";
import { V2Command } from "../wire/commands.ts";
import { test } from "../../../tests/rig/test.ts";
import { ack, connected, protocolError, uintOf, v2FrameOf } from "../_fakes_test.ts";

/** A link whose socket takes what the test lets it take. */
class Socket implements LinkOutput {
  /** What went in, as copies. */
  readonly pieces: Uint8Array[] = [];
  /** The same as it stands in memory. */
  readonly views: Uint8Array[] = [];
  pending = 0;

  get bytes(): Uint8Array {
    return concat(this.pieces);
  }

  control(frame: Uint8Array): void {
    this.#take(frame);
  }

  data(frame: Uint8Array, fate: FrameFate): FrameFate {
    this.#take(frame);
    return fate;
  }

  #take(bytes: Uint8Array): void {
    this.pieces.push(bytes.slice());
    this.views.push(bytes);
    this.pending += bytes.length;
  }
}

/** A sender with a log, and a link if it has one. */
function newSender(): { sender: V2Sender; log: SendLog; budget: SharedBound } {
  const budget = new SharedBound(1e9);
  const log = new SendLog(budget);
  return { sender: new V2Sender({ now: () => 0 }, log, () => {}), log, budget };
}

function attach(sender: V2Sender, position: number): { socket: Socket; replayed: number } {
  const socket = new Socket();
  return { socket, replayed: sender.attach({ output: socket, nagle: false }, position) };
}

/** A CREDIT, which takes 12 bytes. */
const credit = (channel: number) => v2FrameOf(V2Command.CREDIT, channel, uintOf(4, channel));
const CREDIT_SIZE = 12;

test("what was sent and not received is sent again on the next link, byte for byte and from the middle of a frame too", () => {
  for (let position = 0; position <= 3 * CREDIT_SIZE; position++) {
    const { sender } = newSender();
    const { socket } = attach(sender, 0);
    for (const channel of [1, 2, 3]) sender.control(credit(channel));
    sender.detach();
    const next = attach(sender, position);
    assert.equal(next.replayed, 3 * CREDIT_SIZE - position);
    assert.deepEqual(next.socket.bytes, socket.bytes.subarray(position));
  }
});

test("what is sent while there is no link goes with the next; what is about a link that is gone does not", () => {
  const { sender } = newSender();
  sender.control(credit(1));
  sender.control(v2Frame(V2Command.PING, 0, new Uint8Array(16)));
  assert.equal(sender.position, CREDIT_SIZE);
  const { socket, replayed } = attach(sender, 0);
  assert.equal(replayed, CREDIT_SIZE);
  assert.deepEqual(socket.bytes.subarray(8), credit(1).subarray(8));
  assert.equal(socket.bytes.length, CREDIT_SIZE);
});

test("a link cannot begin before what is still kept, nor behind what was sent: bad-position, and nothing has changed", () => {
  const { sender, log } = newSender();
  const { socket } = attach(sender, 0);
  for (const channel of [1, 2, 3]) sender.control(credit(channel));
  socket.pending = 0;
  sender.acknowledged(CREDIT_SIZE);
  sender.detach();
  for (const position of [0, CREDIT_SIZE - 1, 3 * CREDIT_SIZE + 1, Infinity, NaN]) {
    assert.equal(sender.canReplayFrom(position), false, `${position}`);
    assert.equal(protocolError(() => attach(sender, position)), "bad-position", `${position}`);
    assert.deepEqual([log.base, log.end], [CREDIT_SIZE, 3 * CREDIT_SIZE]);
  }
  for (const position of [CREDIT_SIZE, 2 * CREDIT_SIZE + 1, 3 * CREDIT_SIZE]) assert(sender.canReplayFrom(position));
});

test("a sender that keeps nothing can go on only where nothing is missing", () => {
  const sender = new V2Sender({ now: () => 0 }, undefined, () => {});
  attach(sender, 0);
  sender.control(credit(1));
  sender.detach();
  assert.equal(protocolError(() => attach(sender, 0)), "bad-position");
  assert.equal(attach(sender, CREDIT_SIZE).replayed, 0);
});

test("an acknowledgement beyond what was sent, or of less than the last one, is a bad position", () => {
  const { sender } = newSender();
  attach(sender, 0);
  sender.control(credit(1));
  assert.equal(protocolError(() => sender.acknowledged(CREDIT_SIZE + 1)), "bad-position");
  sender.acknowledged(5);
  assert.equal(protocolError(() => sender.acknowledged(4)), "bad-position");
});

test("an acknowledgement that lies about what the socket has not taken yet frees nothing of it", () => {
  const { sender, log, budget } = newSender();
  const { socket } = attach(sender, 0);
  for (const channel of [1, 2, 3]) sender.control(credit(channel));
  sender.acknowledged(3 * CREDIT_SIZE); // all of it stands in the queue of this side
  assert.deepEqual([log.size, budget.held], [3 * CREDIT_SIZE, SMALL_LOG_SIZE]);
  socket.pending = 2 * CREDIT_SIZE + 4;
  sender.acknowledged(3 * CREDIT_SIZE);
  assert.equal(log.base, CREDIT_SIZE - 4);
  socket.pending = 0;
  sender.acknowledged(3 * CREDIT_SIZE);
  assert.deepEqual([log.size, budget.held], [0, 0]);
});

/** A server's session with a channel that may send, and a link. */
function newLink() {
  const log = new SendLog();
  const budget = new WindowBudget(1e6);
  const events = { onGoodbye: () => {}, onSettings: () => {}, onOffers: () => {}, onUnreachable: () => {} };
  const time = { now: 0 };
  const link = new V2ServerCore({ time: { now: () => time.now, wall: () => 0 }, budget, log }, 10, events);
  const socket = new Socket();
  link.attach({ output: socket, nagle: false });
  const channel = link.open(1, "a", "b")!;
  link.receive(connected(1, 10_000_000), 0);
  return { link, log, budget, channel, socket, time };
}

/** A frame of the pool with `size` bytes of payload, all of them `fill`. */
function frameWith(size: number, fill: number): Uint8Array {
  return takeFrame().fill(fill, V2_HEADER_SIZE, V2_HEADER_SIZE + size);
}

/** The same, whose path is known to be fast. */
function newFastLink() {
  const made = newLink();
  const { link, log, channel, socket, time } = made;
  for (let round = 0; round < 30; round++) {
    channel.send(frameWith(10_000, 1), 10_000);
    time.now += 0.2;
    socket.pending = 0;
    link.receive(ack(log.end), time.now);
  }
  return made;
}

test("a large frame is kept where it stands, and its buffer is used again once it is acknowledged", () => {
  const { link, log, channel, socket } = newFastLink();
  const frame = frameWith(KEEP_WHOLE, 1);
  assert.equal(channel.send(frame, KEEP_WHOLE), "kept");
  assert.equal(socket.views.at(-1)!.buffer, frame.buffer);
  socket.pending = 0;
  link.receive(ack(log.end), 0);
  assert.equal(log.size, 0);
  const next = takeFrame();
  assert.equal(next.buffer, frame.buffer);
  giveFrame(next);
});

test("the buffers that a link has left in its socket are never used again, also when the next link's peer has them all", () => {
  const { link, log, channel, socket } = newLink();
  const frame = frameWith(16_376, 1);
  channel.send(frame, 16_376);
  const left = socket.views.at(-1)!;
  link.detach();
  link.attach({ output: new Socket(), nagle: false }, log.end);
  assert.equal(log.size, 0);
  const taken = Array.from({ length: 4 }, takeFrame);
  for (const buffer of taken) buffer.fill(0xdd);
  assert.deepEqual(
    left.subarray(V2_HEADER_SIZE),
    new Uint8Array(16_376).fill(1),
    "the old socket would send other bytes",
  );
  for (const buffer of taken) giveFrame(buffer);
});

test("a session's links begin with what is missing, then PING; a peer in the middle of a frame finds its rest first", () => {
  const { link, log, channel } = newLink();
  channel.send(frameWith(100, 1), 100);
  link.detach();
  const socket = new Socket();
  link.attach({ output: socket, nagle: false }, log.end - 30);
  assert.deepEqual(socket.pieces[0], new Uint8Array(30).fill(1));
  assert.deepEqual(socket.pieces.slice(1).map((frame) => frame[2]), [V2Command.PING]);
});

test("data that came while there is no link waits, and goes with the next as far as there is room", () => {
  const { link, log, channel } = newLink();
  link.detach();
  const before = log.end;
  channel.send(frameWith(5_000, 7), 5_000);
  assert.equal(log.end, before, "it was kept as if it had been sent");
  const socket = new Socket();
  link.attach({ output: socket, nagle: false }, before);
  assert.equal(log.end, before + V2_HEADER_SIZE + 5_000);
  assert.deepEqual(socket.pieces.at(-1)!.subarray(V2_HEADER_SIZE), new Uint8Array(5_000).fill(7));
});

test("who waited for room hears what became of the frame: a large one that went whole is kept, any other is logged", async () => {
  for (const [size, fate] of [[KEEP_WHOLE, "kept"], [KEEP_WHOLE - 1, "logged"]] as const) {
    const fast = newFastLink();
    const { link, log, channel, socket } = fast;
    const grant = { number: 1, code: "granted", text: "a".repeat(200) } as const;
    while (link.onTheWay < 1_000_000) link.sendGrants([grant, grant, grant]); // control frames wait for nobody
    const sent = channel.send(frameWith(size, 1), size);
    assert(sent instanceof Promise);
    assert.equal(channel.size, size, "a part of it went");
    fast.time.now += 0.2;
    socket.pending = 0;
    link.receive(ack(log.end), fast.time.now);
    assert.equal(await sent, fate);
  }
});

test("the end of a session gives back what it kept and granted", () => {
  const { link, log, budget, channel } = newLink();
  channel.send(frameWith(20_000, 1), 20_000);
  assert(log.size > 0 && budget.granted > 0);
  link.end("link-lost");
  assert.deepEqual([log.size, budget.granted, channel.open], [0, 0, false]);
});

test("a frame as large as a buffer goes in parts, each with a header of its own, and is kept as it went", () => {
  const { link, log, channel, socket } = newLink();
  const size = FRAME_BUFFER_SIZE - V2_HEADER_SIZE;
  const frame = frameWith(size, 3);
  const from = socket.bytes.length;
  channel.send(frame, size);
  for (let turn = 0; turn < 20 && channel.size > 0; turn++) {
    socket.pending = 0;
    link.receive(ack(log.end), 0);
  }
  const sent = socket.pieces.filter((piece) => piece[2] === V2Command.DATA);
  assert(sent.length > 1, "it went at once");
  assert.equal(sent.reduce((sum, piece) => sum + piece.length - V2_HEADER_SIZE, 0), size);
  assert(socket.bytes.length > from);
  for (const piece of sent) assert(piece.subarray(V2_HEADER_SIZE).every((byte) => byte === 3));
});
