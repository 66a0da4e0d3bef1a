/**
 * What is fuzzed, and what has to hold: a target throws if it does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_EARLY_BYTES, MAX_EARLY_BYTES_PER_LINK, V1_MAX_CHANNELS } from "../../protocol/v1/limits.ts";
import type { V1Channel as Channel } from "../../protocol/v1/channel.ts";
import { V1Decoder, type V1FrameHandler } from "../../protocol/v1/decoder.ts";
import { V1DeviceLink } from "../../protocol/v1/device_link.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { FrameFate, LinkOutput } from "../../protocol/link.ts";
import type { V1Link as Link } from "../../protocol/v1/link.ts";
import { V1ServerLink } from "../../protocol/v1/server_link.ts";
import { chunksOf, hostileStream } from "./inputs.ts";
import type { Random } from "../../tests/rig/random.ts";
import { hex, joinData, readStream } from "./reference.ts";

const TARGET = { host: "a", port: 1 };

/** Decodes a stream in chunks, and compares with the reference, which has it whole. */
export function fuzzDecoder(random: Random): void {
  const stream = hostileStream(random, random.of("device", "server"));
  const expected = readStream(stream);
  const told: string[] = [];
  const handler: V1FrameHandler = {
    onListen: () => told.push("listen"),
    onConnect: (id, { host, port }) => told.push(`connect ${id} ${host} ${port}`),
    onBadConnect: (id) => told.push(`bad-connect ${id}`),
    onData(id, bytes) {
      assert(bytes.length > 0, "DATA was told without bytes");
      told.push(`data ${id} ${hex(bytes)}`);
    },
    onClose: (id) => told.push(`close ${id}`),
    onIgnored: (command, id) => told.push(`ignored ${command} ${id}`),
  };
  const decoder = new V1Decoder(handler);
  let error: string | undefined;
  try {
    for (const chunk of chunksOf(random, stream)) decoder.push(chunk);
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    error = thrown.code;
  }
  assert.equal(error, expected.error);
  assert.deepEqual(joinData(told), expected.told);
  if (expected.error === undefined) assert.equal(decoder.atBoundary, expected.atBoundary);
}

/** Counts what a link sends. */
class CountingOutput implements LinkOutput {
  readonly pending = 0;
  frames = 0;

  control(frame: Uint8Array): void {
    assert(frame.length >= 4 && frame[2] !== 3, "not a control frame");
    this.frames++;
  }

  data(frame: Uint8Array, fate: FrameFate): FrameFate {
    assert.equal(frame.length - 4, frame[0]! << 8 | frame[1]!, "a frame of another size than it says");
    this.frames++;
    return fate;
  }
}

/** The channels of a link, each of which must end once and hear nothing after that. */
class Watch {
  readonly channels: Channel[] = [];
  readonly #over = new Set<Channel>();

  add(channel: Channel): void {
    this.channels.push(channel);
    channel.receiver = {
      onData: () => assert(!this.#over.has(channel), "bytes came after the end"),
      onEnd: () => this.over(channel),
    };
  }

  over(channel: Channel): void {
    assert(!this.#over.has(channel), "a channel ended twice");
    assert(!channel.open, "a channel ended and is open");
    this.#over.add(channel);
  }

  /** This side ends a channel. */
  close(channel: Channel): void {
    if (!channel.open) return;
    channel.close();
    this.over(channel);
  }

  allOver(): void {
    assert.equal(this.#over.size, this.channels.length, "a channel did not end with its link");
  }
}

/** Time that a run moves on. */
class FuzzTime {
  at = 0;

  now(): number {
    return this.at;
  }
}

/** Feeds a link hostile bytes while its owner goes on with its work. */
function drive(
  random: Random,
  link: Link,
  watch: Watch,
  output: CountingOutput,
  stream: Uint8Array,
  time: FuzzTime,
  act: () => void,
): void {
  let received = 0;
  try {
    for (const chunk of chunksOf(random, stream)) {
      time.at += random.of(0, 1, 100, 600, 31_000);
      if (link.deadline <= time.at) link.tick();
      const before = output.frames;
      link.receive(chunk);
      received += chunk.length;
      assert(output.frames - before <= Math.ceil(chunk.length / 4) + 1, "more answers than frames");
      assert(link.channelCount <= V1_MAX_CHANNELS, `${link.channelCount} channels`);
      for (let times = random.upTo(2); times > 0; times--) {
        const channel = watch.channels[random.upTo(Math.max(0, watch.channels.length - 1))];
        const choice = channel ? random.upTo(3) : 0;
        if (channel && choice > 1) channel.send(random.bytes(4 + 10), 10);
        else if (channel && choice === 1) watch.close(channel);
        else act();
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
  }
  assert(received <= stream.length);
  link.end("link-lost");
  watch.allOver();
  assert.equal(link.channelCount, 0);
}

/** A server's link with a hostile device. */
export function fuzzServerLink(random: Random): void {
  const output = new CountingOutput();
  const watch = new Watch();
  const time = new FuzzTime();
  let listenings = 0;
  const link = new V1ServerLink(output, time, { onListening: () => listenings++ });
  drive(random, link, watch, output, hostileStream(random, "device"), time, () => {
    if (random.oneIn(5)) return void link.challenge();
    for (let count = random.oneIn(20) ? 300 : 1; count > 0; count--) {
      const channel = link.open(TARGET);
      if (channel) watch.add(channel);
      else assert.equal(link.freeIds, 0);
    }
    const ids = watch.channels.filter((channel) => channel.open).map((channel) => channel.id);
    assert.equal(new Set(ids).size, ids.length, "two clients have one id");
    assert(ids.length + link.freeIds <= V1_MAX_CHANNELS, "there are more ids than ids");
  });
  assert(listenings <= 1, "LISTEN was told twice");
}

/** A device's link with a hostile server; at the end, every id is opened to see what was held for it. */
export function fuzzDeviceLink(random: Random): void {
  const output = new CountingOutput();
  const watch = new Watch();
  const time = new FuzzTime();
  let held = 0;
  let gone = 0;
  const link = new V1DeviceLink(output, time, {
    onOpen(channel, early) {
      const size = early.length;
      assert(size <= MAX_EARLY_BYTES, `${size} early bytes for one id`);
      held += size;
      watch.add(channel);
    },
    onGone: () => void gone++,
    onBadConnect: () => {},
  });
  link.listen();
  drive(random, link, watch, output, hostileStream(random, "server"), time, () => void link.knock());
  held = gone = 0;
  for (let id = 0; id < V1_MAX_CHANNELS; id++) link.onConnect(id, TARGET);
  assert(held <= MAX_EARLY_BYTES_PER_LINK, `${held} early bytes on one link`);
  // Those closed ahead of their CONNECT: without bytes they are told as gone, with bytes they have come and gone.
  assert(gone + link.channelCount <= V1_MAX_CHANNELS, `${gone} gone, ${link.channelCount} open`);
  for (let id = 0; id < V1_MAX_CHANNELS; id++) link.onConnect(id, TARGET);
  assert.equal(link.channelCount, V1_MAX_CHANNELS, "a CLOSE of before was kept for a second CONNECT");
  link.end("link-lost");
  watch.allOver();
}
