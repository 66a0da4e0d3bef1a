/**
 * What the tests of wire profile v2 share: frames written by hand, a recorder, and links whose owner is the test. No
 * tests here.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ProtocolError, type ProtocolErrorCode } from "../errors.ts";
import type { Goodbye } from "./wire/goodbye.ts";
import type { Sent } from "../link.ts";
import type { ChannelEndReason } from "../reasons.ts";
import { WindowBudget } from "./receive_windows.ts";
import type { V2Channel } from "./channel.ts";
import type { V2Command } from "./wire/commands.ts";
import type { V2FrameHandler } from "./wire/decoder.ts";
import { V2DeviceCore } from "./device_core.ts";
import type { V2CoreOptions } from "./session_options.ts";
import type { ConnectRequest, ServiceGrantResult, ServiceOffer, Settings } from "./wire/messages.ts";
import { V2ServerCore } from "./server_core.ts";
import { RecordingOutput } from "../v1/_fakes_test.ts";
import { concat } from "../bytes.ts";
import { hex, unhex } from "../../tests/rig/bytes.ts";

/** A frame written by hand, without the codec. */
export function v2FrameOf(
  command: number,
  channel: number,
  payload: Uint8Array = new Uint8Array(0),
  flags = 0,
): Uint8Array {
  const size = payload.length;
  const id = [channel / 2 ** 24 & 255, channel >>> 16 & 255, channel >>> 8 & 255, channel & 255];
  return Uint8Array.of(size >> 8, size & 255, command, flags, ...id, ...payload);
}

/** A number of `size` bytes, big-endian. */
export function uintOf(size: number, value: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => Number(BigInt(value) >> BigInt(8 * (size - 1 - at)) & 255n));
}

/** A field written by hand. */
export function fieldOf(tag: number, value: Uint8Array): Uint8Array {
  return Uint8Array.of(tag, value.length >> 8, value.length & 255, ...value);
}

/** The code of the protocol error that `fn` throws; whatever else it throws fails the test. */
export function protocolError(fn: () => unknown): ProtocolErrorCode | "nothing" {
  try {
    fn();
  } catch (error) {
    assert(error instanceof ProtocolError, `${error instanceof Error ? error.stack : error}`);
    return error.code;
  }
  return "nothing";
}

/** Writes down what a decoder tells, and the position at which it does. */
export class V2Recorder implements V2FrameHandler {
  /** A line for each. */
  readonly told: string[] = [];

  onData(channel: number, bytes: Uint8Array): void {
    assert(bytes.length > 0, "DATA was told without bytes");
    this.told.push(`data ${channel} ${hex(bytes)}`);
  }

  onFrame(command: V2Command, channel: number, payload: Uint8Array): void {
    this.told.push(`frame ${command} ${channel} ${hex(payload)}`);
  }

  onSkipped(): void {}

  onAcknowledge(): void {
    this.told.push("acknowledge");
  }
}

/** A receiver that writes down what it hears, and consumes at once unless told otherwise. */
export class HeardChannel {
  /** What came. */
  readonly heard: string[] = [];
  readonly channel: V2Channel;
  /** Whether bytes are consumed as they come. */
  readonly consumes: boolean;

  /** Becomes the receiver of `channel`. */
  constructor(channel: V2Channel, consumes = false) {
    this.channel = channel;
    this.consumes = consumes;
    channel.receiver = {
      onData: (bytes) => {
        this.heard.push(`data ${hex(bytes)}`);
        if (consumes) channel.consumed(bytes.length);
      },
      onPeerEnd: () => this.heard.push("end"),
      onEnd: (reason: ChannelEndReason) => this.heard.push(`over ${reason}`),
    };
  }

  /** Sends bytes as a pump would. */
  send(bytes: Uint8Array): Sent {
    return this.channel.send(concat([new Uint8Array(this.channel.headroom), bytes]), bytes.length);
  }
}

/** What both sides of a link have in a test. */
class Rig {
  readonly output = new RecordingOutput();
  readonly budget: WindowBudget;
  readonly heard: string[] = [];
  now = 1_000;
  wallClock = 1_700_000_000_000;
  protected readonly options: V2CoreOptions;
  readonly #nagle: boolean;

  constructor(bound: number, nagle: boolean) {
    this.budget = new WindowBudget(bound);
    this.options = {
      time: { now: () => this.now, wall: () => this.wallClock },
      budget: this.budget,
    };
    this.#nagle = nagle;
  }

  /** Starts the link; nothing was sent yet. */
  protected attach(link: V2ServerCore | V2DeviceCore): void {
    link.attach({ output: this.output, nagle: this.#nagle });
    this.output.take();
  }

  protected readonly events = {
    onGoodbye: ({ code, text }: Goodbye) => void this.heard.push(`goodbye ${code} ${text}`),
    onSettings: (settings: Settings) => void this.heard.push(`settings ${JSON.stringify(settings)}`),
  };
}

/** The default bound of a rig's budget. */
export const RIG_BOUND = 64 * 1024 * 1024;

/** A server's link whose device is the test. */
export class ServerRig extends Rig {
  readonly link: V2ServerCore;

  /** With `bound` bytes to grant. */
  constructor({ bound = RIG_BOUND, nagle = false, maxChannels = 100 } = {}) {
    super(bound, nagle);
    this.link = new V2ServerCore(this.options, maxChannels, {
      ...this.events,
      onOffers: (offers: ServiceOffer[]) => void this.heard.push(`offers ${JSON.stringify(offers)}`),
      onUnreachable: (channel, text) => void this.heard.push(`unreachable ${channel.id} ${text}`),
    });
    this.attach(this.link);
  }

  /** The device sends frames, in one chunk. */
  receive(...frames: Uint8Array[]): void {
    this.link.receive(concat(frames), this.now);
  }

  /** Opens a channel, and forgets the CONNECT that was sent. */
  open(consumes = false): HeardChannel {
    const channel = this.link.open(1, "192.0.2.1:5", "0.0.0.0:2201");
    assert(channel, "no channel could be opened");
    this.output.take();
    return new HeardChannel(channel, consumes);
  }
}

/** A device's link whose server is the test. */
export class DeviceRig extends Rig {
  readonly link: V2DeviceCore;
  readonly opened: { readonly channel: HeardChannel; readonly request: ConnectRequest }[] = [];

  /** With `bound` bytes to grant. */
  constructor({ bound = RIG_BOUND, nagle = false, maxChannels = 100 } = {}) {
    super(bound, nagle);
    this.link = new V2DeviceCore(this.options, maxChannels, {
      ...this.events,
      onOpen: (channel, request) => void this.opened.push({ channel: new HeardChannel(channel), request }),
      onGrants: (results: ServiceGrantResult[]) => void this.heard.push(`grants ${JSON.stringify(results)}`),
    });
    this.attach(this.link);
  }

  /** The server sends frames, in one chunk. */
  receive(...frames: Uint8Array[]): void {
    this.link.receive(concat(frames), this.now);
  }

  /** The server connects a channel, and the device accepts; what was sent is forgotten. */
  accept(id: number, credit = 65_536): HeardChannel {
    this.receive(connectOf(id, credit));
    const opened = this.opened.at(-1);
    assert(opened?.channel.channel.id === id, "the CONNECT opened nothing");
    this.link.accept(opened.channel.channel);
    this.output.take();
    return opened.channel;
  }
}

/** A CONNECT written by hand. */
export function connectOf(id: number, credit = 65_536): Uint8Array {
  const text = (value: string) => new TextEncoder().encode(value);
  const fields = [
    fieldOf(1, uintOf(2, 1)),
    fieldOf(2, text("192.0.2.1:5")),
    fieldOf(3, text("0.0.0.0:2201")),
    fieldOf(4, uintOf(4, credit)),
  ];
  return v2FrameOf(0x01, id, concat(fields));
}

/** DATA with `size` bytes. */
export const data = (channel: number, size: number) => v2FrameOf(0x03, channel, new Uint8Array(size).fill(channel));
export const credit = (channel: number, bytes: number) => v2FrameOf(0x07, channel, uintOf(4, bytes));
/** RESULT of a service that is connected. */
export const connected = (channel: number, bytes: number) =>
  v2FrameOf(0x05, channel, concat([Uint8Array.of(0), uintOf(4, bytes)]));
/** RESULT of one that is not. */
export const refused = (channel: number, reason: number) =>
  v2FrameOf(0x05, channel, Uint8Array.of(reason, 0, 0, 0, 0, 0x6e, 0x6f));
export const ack = (position: number) => v2FrameOf(0x45, 0, uintOf(8, position));

/** What a link sent, without flags: `3 7 5` is DATA of channel 7 with 5 bytes. */
export function sent(rig: ServerRig | DeviceRig): string[] {
  return rig.output.take().map((text) => {
    const [high = 0, low = 0, command = 0, , a = 0, b = 0, c = 0, d = 0] = unhex(text);
    return `${command} ${a * 2 ** 24 + (b << 16 | c << 8 | d)} ${high << 8 | low}`;
  });
}

/** Bytes of numbered frames that a link has sent. */
export function numberedBytes(frames: readonly string[]): number {
  return frames.reduce((sum, frame) => {
    const [command = 0, , size = 0] = frame.split(" ").map(Number);
    return sum + ((command & 0x40) === 0 ? 8 + size : 0);
  }, 0);
}
