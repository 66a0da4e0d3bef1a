/**
 * What is fuzzed of wire profile v2, and what has to hold: a target throws if it does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ProtocolError, UnansweredError } from "../../protocol/errors.ts";
import { readGoodbye } from "../../protocol/v2/wire/goodbye.ts";
import { SendLog } from "../../protocol/v2/send/send_log.ts";
import { mayReceive } from "../../protocol/channel_state.ts";
import type { LinkOutput } from "../../protocol/link.ts";
import { WindowBudget } from "../../protocol/v2/receive_windows.ts";
import type { V2Channel } from "../../protocol/v2/channel.ts";
import { V2Decoder } from "../../protocol/v2/wire/decoder.ts";
import { V2DeviceCore } from "../../protocol/v2/device_core.ts";
import {
  CAN_RESUME,
  DeviceHandshake,
  HandshakeError,
  HAS_EPOCHS,
  ServerHandshake,
} from "../../protocol/v2/wire/handshake.ts";
import { readWelcome } from "../../protocol/v2/wire/welcome.ts";
import type { V2SessionCore } from "../../protocol/v2/session_core.ts";
import type { V2CoreOptions } from "../../protocol/v2/session_options.ts";
import { V2ServerCore } from "../../protocol/v2/server_core.ts";
import { chunksOf, type Sender } from "./inputs.ts";
import type { Random } from "../../tests/rig/random.ts";
import { hex, joinData } from "./reference.ts";
import { v2Fields, v2Frame, v2Mutated, v2Stream } from "./v2_inputs.ts";
import { readV2Stream } from "./v2_reference.ts";

const MAX_CHANNELS = 50;

/** What a peer may cause; anything else is a finding. @returns the code. */
function peerError(thrown: unknown): string {
  if (thrown instanceof ProtocolError) return thrown.code;
  if (thrown instanceof UnansweredError) return "unanswered";
  if (thrown instanceof HandshakeError) return thrown.goodbye.code;
  throw thrown;
}

/** Decodes a stream in chunks, and compares with the reference, which has it whole. */
export function fuzzV2Decoder(random: Random): void {
  const stream = v2Stream(random, random.of("device", "server"));
  const expected = readV2Stream(stream);
  const told: string[] = [];
  let asked = 0;
  const decoder = new V2Decoder({
    onData(channel, bytes) {
      assert(bytes.length > 0, "DATA was told without bytes");
      told.push(`data ${channel} ${hex(bytes)}`);
    },
    onFrame: (command, channel, payload) => told.push(`frame ${command} ${channel} ${hex(payload)}`),
    onSkipped: () => {},
    onAcknowledge: () => asked++,
  });
  let error: string | undefined;
  try {
    for (const chunk of chunksOf(random, stream)) decoder.push(chunk);
  } catch (thrown) {
    error = peerError(thrown);
  }
  assert.equal(error, expected.error);
  assert.deepEqual(joinData(told), joinData(expected.told.filter((line) => line !== "skipped")));
  if (error !== undefined) return;
  assert.equal(decoder.atBoundary, expected.atBoundary);
  assert.equal(decoder.position, expected.position);
  assert.equal(asked, expected.asked);
}

/** One side of a link with a hostile peer, and users who do what they may. */
class Side {
  readonly budget: WindowBudget;
  readonly channels: V2Channel[] = [];
  readonly held = new Map<V2Channel, number>();
  readonly ended = new Set<V2Channel>();
  answers = 0;
  now = 0;
  readonly output: LinkOutput = {
    pending: 0,
    control: (frame) => this.#sent(frame),
    data: (frame, fate) => {
      this.#sent(frame);
      return fate;
    },
  };
  readonly options: V2CoreOptions;
  readonly nagle: boolean;

  constructor(random: Random) {
    this.budget = new WindowBudget(random.of(0, 20_000, 1_000_000));
    const now = () => this.now;
    const log = random.oneIn(2) ? new SendLog() : undefined;
    this.options = { time: { now, wall: now }, budget: this.budget, log };
    this.nagle = random.oneIn(2);
  }

  #sent(frame: Uint8Array): void {
    assert.equal(frame.length - 8, frame[0]! << 8 | frame[1]!, "a frame of another size than it says");
    this.answers++;
  }

  add(channel: V2Channel): void {
    this.channels.push(channel);
    channel.receiver = {
      onData: (bytes) => {
        assert(!this.ended.has(channel) && mayReceive(channel.state), "bytes came after the end");
        this.held.set(channel, (this.held.get(channel) ?? 0) + bytes.length);
      },
      onPeerEnd: () => assert(!mayReceive(channel.state)),
      onEnd: () => {
        assert(!this.ended.has(channel), "a channel ended twice");
        this.ended.add(channel);
      },
    };
  }

  act(random: Random): void {
    const channel = this.channels[random.upTo(Math.max(0, this.channels.length - 1))];
    if (!channel) return;
    const held = this.held.get(channel) ?? 0;
    const size = Math.min(channel.room, random.of(10, 3_000, 65_535));
    switch (random.upTo(6)) {
      case 0:
        channel.end();
        break;
      case 1:
        if (channel.open) this.ended.add(channel);
        channel.close(random.of("client-reset", "service-closed", "service-refused"));
        break;
      case 2:
      case 3:
        channel.consumed(held);
        this.held.set(channel, 0);
        break;
      default:
        if (channel.open && !channel.piece && size > 0) channel.send(new Uint8Array(8 + size), size);
    }
  }

  drive(random: Random, link: V2SessionCore, sender: Sender, act: () => void): void {
    try {
      for (const chunk of chunksOf(random, v2Stream(random, sender))) {
        this.now += random.of(0, 1, 100, 31_000);
        link.receive(chunk, this.now);
        assert(link.channelCount <= MAX_CHANNELS, `${link.channelCount} channels`);
        for (let times = random.upTo(3); times > 0; times--) {
          if (random.oneIn(3)) act();
          else this.act(random);
        }
      }
    } catch (thrown) {
      peerError(thrown);
    }
    link.end("link-lost");
    assert.equal(link.channelCount, 0);
    assert.equal(this.budget.granted, 0, "a grant was not given back");
    for (const channel of this.channels) assert(!channel.open, "a channel is open on a link that is over");
    const { answers } = this;
    for (const channel of this.channels) {
      channel.end();
      channel.close("client-closed");
    }
    assert.equal(this.answers, answers, "a channel spoke on a link that is over");
  }
}

/** A server's link with a hostile device. */
export function fuzzV2ServerLink(random: Random): void {
  const side = new Side(random);
  const nothing = () => {};
  const events = { onGoodbye: nothing, onSettings: nothing, onOffers: nothing, onUnreachable: nothing };
  const link = new V2ServerCore(side.options, MAX_CHANNELS, events);
  link.attach(side);
  side.drive(random, link, "device", () => {
    if (random.oneIn(8)) return link.ping();
    const channel = link.open(1, "a:1", "b:1");
    if (channel) side.add(channel);
  });
}

/** A device's link with a hostile server. */
export function fuzzV2DeviceLink(random: Random): void {
  const side = new Side(random);
  const link = new V2DeviceCore(side.options, MAX_CHANNELS, {
    onGoodbye: () => {},
    onSettings: () => {},
    onGrants: () => {},
    onOpen(channel) {
      side.add(channel);
      if (random.oneIn(3)) link.accept(channel);
    },
  });
  link.attach(side);
  side.drive(random, link, "server", () => {
    const waiting = side.channels[random.upTo(Math.max(0, side.channels.length - 1))];
    if (waiting && !random.oneIn(8)) link.accept(waiting);
    else link.ping();
  });
}

/** Payloads of the handshake, at both sides: nothing is let in, and nothing but the named errors is thrown. */
export async function fuzzV2Handshake(random: Random): Promise<void> {
  const crypto = { verify: () => Promise.resolve(false), hmac: () => Promise.resolve(new Uint8Array(32)) };
  const signer = { publicKey: new Uint8Array(32).fill(2), sign: () => Promise.resolve(new Uint8Array(64)) };
  const instance = new Uint8Array(16);
  const all = CAN_RESUME | HAS_EPOCHS;
  const party = {
    ...{ signer, nonce: random.bytes(32), wallClock: 1, software: "x", capabilities: random.of(0, CAN_RESUME, all) },
    ...(random.oneIn(2) && { exporter: random.bytes(32) }),
  };
  const device = new DeviceHandshake({
    ...party,
    ...{ serverKey: new Uint8Array(32).fill(2), instance, nextEpoch: () => 1 },
  }, crypto);
  const attempt = async (run: () => unknown): Promise<boolean> => {
    try {
      await run();
      return true;
    } catch (thrown) {
      peerError(thrown);
      return false;
    }
  };
  const some = (sizes: readonly (readonly [number, number])[]) => {
    const bytes = v2Fields(random, sizes);
    return random.oneIn(3) ? v2Mutated(random, bytes) : bytes;
  };
  const challenge = v2Frame(0x41, 0, some([[1, 1], [2, 4], [3, 32], [4, 32], [5, 8], [128, 5], [6, 64]]));
  assert(!await attempt(() => device.answer(challenge)), "a server that proves nothing was believed");
  const server = new ServerHandshake(party, crypto);
  const hello = random.oneIn(2) ? v2Mutated(random, device.hello.slice(8)) : v2Frame(
    0x40,
    0,
    some([[1, 2], [2, 4], [3, 32], [4, 32], [5, 8], [6, 16], [128, 5]]),
  );
  if (await attempt(() => server.challenge(hello))) {
    assert(
      !await attempt(() => server.authenticate(some([[1, 64], [2, 40], [4, 8], [5, 32], [3, 24]]))),
      "a device that proves nothing was let in",
    );
  }
  await attempt(() => readWelcome(some([[1, 16], [2, 5], [3, 4], [4, 5], [8, 32]]), random.oneIn(2)));
  await attempt(() => readGoodbye(some([[1, 1], [2, 5], [3, 4], [4, 2], [5, 8]])));
}
