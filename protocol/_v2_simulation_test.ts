/**
 * A server's and a device's link joined by pipes in virtual time, with users at both ends. No tests here.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Random } from "../scripts/fuzz/random.ts";
import type { Link } from "./link.ts";
import { SendLog } from "./send_log.ts";
import type { V2Output } from "./v2_sender.ts";
import type { ChannelEndReason } from "./reasons.ts";
import { WindowBudget } from "./receive_windows.ts";
import type { V2Channel } from "./v2_channel.ts";
import { V2DeviceLink } from "./v2_device_link.ts";
import type { V2LinkOptions } from "./v2_link.ts";
import { V2ServerLink } from "./v2_server_link.ts";
import { Time } from "./_virtual_time_test.ts";

/** What the network between the two is like. */
export interface Network {
  /** Milliseconds one way. */
  readonly latency: number;
  /** Bytes per millisecond, each way. */
  readonly rate: number;
  /** How late a turn of an event loop may be, in milliseconds. */
  readonly late: number;
  /** Whether reads bring what came in random pieces. */
  readonly cuts: boolean;
}

/** One direction: bytes stay in order, whatever happens to time. */
export class Pipe implements V2Output {
  readonly pending = 0;
  to: Link | undefined;
  /** Bytes that went in, and how long the pipe has been sending. */
  bytes = 0;
  /** Set when the peer broke the protocol. */
  error: unknown;
  readonly #time: Time;
  readonly #random: Random;
  readonly #network: Network;
  #free = 0;
  #lastRead = 0;
  #arrived: Uint8Array = new Uint8Array(0);
  #cut = false;

  constructor(time: Time, random: Random, network: Network) {
    this.#time = time;
    this.#random = random;
    this.#network = network;
  }

  control(frame: Uint8Array): void {
    this.#send(frame.slice());
  }

  /** Sometimes the kernel has no room: then the frame is looked at later, and must not have been touched. */
  data(frame: Uint8Array): Promise<void> | undefined {
    if (!this.#random.oneIn(4)) {
      this.#send(frame.slice());
      return undefined;
    }
    const before = frame.slice();
    this.#send(before);
    return new Promise((resolve) => {
      this.#time.after(this.#random.upTo(3), () => {
        if (!this.#cut) assert.deepEqual(frame, before, "a frame was touched while it was being written");
        resolve();
      });
    });
  }

  copy(frame: Uint8Array): Promise<void> | undefined {
    this.#send(frame.slice());
    return this.#random.oneIn(4) ? this.#time.sleep(this.#random.upTo(3)) : undefined;
  }

  keep(bytes: Uint8Array): Promise<void> | undefined {
    return this.copy(bytes);
  }

  /** The connection is lost: what is under way never comes. */
  cut(): void {
    this.#cut = true;
  }

  #send(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.#free = Math.max(this.#free, this.#time.now) + bytes.length / this.#network.rate;
    const arrival = this.#free + this.#network.latency;
    this.#time.after(arrival - this.#time.now, () => this.#arrive(bytes));
  }

  #arrive(bytes: Uint8Array): void {
    const whole = new Uint8Array(this.#arrived.length + bytes.length);
    whole.set(this.#arrived);
    whole.set(bytes, this.#arrived.length);
    this.#arrived = whole;
    this.#read();
  }

  #read(): void {
    const { late } = this.#network;
    this.#lastRead = Math.max(this.#lastRead, this.#time.now + (late > 0 ? this.#random.upTo(late * 10) / 10 : 0));
    this.#time.after(this.#lastRead - this.#time.now, () => {
      if (this.#cut || !this.to || this.error || this.#arrived.length === 0) return;
      const { length } = this.#arrived;
      const count = this.#network.cuts ? 1 + this.#random.upTo(this.#random.of(length, 20, length) - 1) : length;
      const chunk = this.#arrived.slice(0, count);
      this.#arrived = this.#arrived.slice(count);
      if (this.#arrived.length > 0) this.#read();
      try {
        this.to.receive(chunk, this.#time.now);
      } catch (error) {
        this.error = error;
      }
    });
  }
}

/** A byte of a stream: any that is lost, doubled or out of place shows. */
export function byteAt(salt: number, at: number): number {
  return Math.imul(at + salt * 7_919, 0x9e3779b1) >>> 24;
}

/** One end of a channel: a pump whose connection is a stream of bytes and a sink of random speed. */
export class User {
  readonly channel: V2Channel;
  sent = 0;
  received = 0;
  /** Whether the sending side has come to its end, one way or the other. */
  sendingDone = false;
  peerEnded = false;
  readonly #time: Time;
  readonly #random: Random;
  readonly #out: number;
  readonly #in: number;
  #held = 0;
  #consuming = false;
  #ended = false;
  #reason: ChannelEndReason | undefined;

  /** `out` and `inward` tell the streams apart. `slow`: milliseconds that its sink takes for a piece, at most. */
  constructor(time: Time, random: Random, channel: V2Channel, out: number, inward: number, readonly slow: number) {
    this.channel = channel;
    this.#time = time;
    this.#random = random;
    this.#out = out;
    this.#in = inward;
    channel.receiver = {
      onData: (bytes) => this.#onData(bytes),
      onPeerEnd: () => {
        assert(!this.peerEnded && this.end === undefined, "the peer's end was told twice, or late");
        this.peerEnded = true;
      },
      onEnd: (reason) => {
        assert.equal(this.#reason, undefined, "it ended twice");
        this.#reason = reason;
      },
    };
  }

  /** How it ended: both directions in order, by the peer, or by itself. */
  get end(): "in order" | ChannelEndReason | undefined {
    return this.#reason ?? (this.#ended && this.peerEnded && !this.channel.open ? "in order" : undefined);
  }

  /** Sends `total` bytes, then ends its direction. */
  async send(total: number, piece: number, pause: number): Promise<void> {
    const { channel } = this;
    while (this.sent < total && channel.open) {
      if (channel.room === 0) {
        await channel.writable();
        continue;
      }
      const size = Math.min(channel.room, total - this.sent, 1 + this.#random.upTo(piece - 1));
      const frame = new Uint8Array(channel.headroom + size);
      for (let at = 0; at < size; at++) frame[channel.headroom + at] = byteAt(this.#out, this.sent + at);
      this.sent += size;
      const wait = channel.send(frame, size);
      if (wait && !this.#random.oneIn(8)) await wait;
      else if (wait && this.sent < total) await wait; // the last piece may be followed by the end at once
      if (!wait && !channel.kept) frame.fill(0xee);
      if (pause > 0) await this.#time.sleep(this.#random.upTo(pause));
    }
    if (channel.open) {
      this.#ended = true;
      channel.end();
    }
    this.sendingDone = true;
  }

  /** Ends both directions from this side. */
  close(reason: ChannelEndReason): void {
    if (this.end !== undefined || !this.channel.open) return;
    this.#reason = reason;
    this.channel.close(this.#time.now, reason);
  }

  #onData(bytes: Uint8Array): void {
    assert(this.end === undefined && !this.peerEnded, "bytes came after the end");
    for (const byte of bytes) {
      if (byte !== byteAt(this.#in, this.received++)) assert.fail(`byte ${this.received - 1} is another`);
    }
    this.#held += bytes.length;
    if (this.slow === 0) this.#consume(this.#held);
    else if (!this.#consuming) this.#consumeLater();
  }

  #consumeLater(): void {
    this.#consuming = true;
    this.#time.after(this.#random.upTo(this.slow), () => {
      this.#consuming = false;
      this.#consume(1 + this.#random.upTo(this.#held - 1));
      if (this.#held > 0) this.#consumeLater();
    });
  }

  #consume(size: number): void {
    this.#held -= size;
    this.channel.consumed(size);
  }
}

/** A pair of sessions, and the link between them. */
export class Pair {
  readonly time = new Time();
  readonly random: Random;
  readonly serverLog = new SendLog();
  readonly deviceLog = new SendLog();
  toDevice: Pipe;
  toServer: Pipe;
  /** Whether the sessions have ended. */
  over = false;
  readonly #network: Network;
  readonly #nagle: boolean;
  readonly server: V2ServerLink;
  readonly device: V2DeviceLink;
  readonly serverBudget: WindowBudget;
  readonly deviceBudget: WindowBudget;
  /** Called on the device for each CONNECT, with the number of the service. */
  onOpen: (channel: V2Channel, service: number) => void = () => {};
  /** What the device said of refused ones. */
  readonly unreachable: string[] = [];

  /** The device's wall clock runs `clockOffset` milliseconds ahead of the server's. */
  constructor(
    seed: number,
    network: Network,
    { bound = 64 * 1024 * 1024, nagle = false, clockOffset = 0, resumes = true } = {},
  ) {
    this.random = new Random(seed);
    this.#network = network;
    this.#nagle = nagle;
    this.toDevice = this.pipe();
    this.toServer = this.pipe();
    this.serverBudget = new WindowBudget(bound);
    this.deviceBudget = new WindowBudget(bound);
    const events = { onGoodbye: () => {}, onSettings: () => {} };
    const options = (budget: WindowBudget, log: SendLog, offset: number): V2LinkOptions => ({
      budget,
      log: resumes ? log : undefined,
      now: () => this.time.now,
      wallClock: () => Math.round(1_700_000_000_000 + this.time.now + offset),
    });
    this.server = new V2ServerLink(options(this.serverBudget, this.serverLog, 0), 65_536, {
      ...events,
      onOffers: () => {},
      onUnreachable: (_, text) => void this.unreachable.push(text),
    });
    this.device = new V2DeviceLink(options(this.deviceBudget, this.deviceLog, clockOffset), 65_536, {
      ...events,
      onGrants: () => {},
      onOpen: (channel, { service }) => this.onOpen(channel, service),
    });
    this.attachServer(this.toDevice, this.toServer, 0);
    this.attachDevice(this.toDevice, this.toServer, 0);
  }

  /** A way from one side to the other that nobody uses yet. */
  pipe(): Pipe {
    return new Pipe(this.time, this.random, this.#network);
  }

  /** The server's session goes on with a device that has received all before `position`. */
  attachServer(toDevice: Pipe, toServer: Pipe, position: number): void {
    this.toServer.to = undefined; // fenced: nothing that still comes there is applied
    this.toServer = toServer;
    toServer.to = this.server;
    this.server.attach({ output: toDevice, nagle: this.#nagle }, position);
  }

  /** The device's session goes on with a server that has received all before `position`. */
  attachDevice(toDevice: Pipe, toServer: Pipe, position: number): void {
    this.toDevice.to = undefined;
    this.toDevice = toDevice;
    toDevice.to = this.device;
    this.device.attach({ output: toServer, nagle: this.#nagle }, position);
  }

  /** Fails if a side broke the protocol. */
  check(): void {
    for (const { error } of [this.toDevice, this.toServer]) if (error) throw error;
  }

  /** Cuts the link, and ends both sessions. */
  lose(): void {
    this.over = true;
    this.toDevice.cut();
    this.toServer.cut();
    this.server.end("link-lost");
    this.device.end("link-lost");
  }
}
