/**
 * A channel's pump between a fake link and a fake connection. No tests here.
 *
 * @module
 */

import assert from "node:assert/strict";
import { STALL_TIMEOUT_MS } from "../net/limits.ts";
import { MAX_CHANNEL_BACKLOG } from "./limits.ts";
import { HALF_CLOSE_TIMEOUT_MS } from "../server/limits.ts";
import type { V1Channel as Channel } from "../protocol/v1/channel.ts";
import { V1ServerLink } from "../protocol/v1/server_link.ts";
import { v1Close } from "../protocol/v1/codec.ts";
import type { ChannelSummary } from "./channel_end.ts";
import { ChannelPump, type ChannelPumpOptions } from "./channel_pump.ts";
import { LinkDriver } from "./link/driver.ts";
import { FakeDuplex, fakeTransport } from "./_fakes_test.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { settled } from "../tests/rig/wait.ts";

export class PumpFixture {
  readonly clock = new FakeClock();
  /** The device's end of the link. */
  readonly device = new FakeDuplex();
  /** The client's end of its connection. */
  readonly client = new FakeDuplex();
  readonly driver = new LinkDriver({ transport: fakeTransport(this.device), clock: this.clock, writeTimeout: -1 });
  readonly link = new V1ServerLink(this.driver, this.clock, { onListening: () => {} });
  readonly channel: Channel;
  readonly pump: ChannelPump;
  #summary: ChannelSummary | undefined;

  constructor(options: Partial<ChannelPumpOptions> = {}) {
    this.driver.start(this.link, Uint8Array.of(0, 0, 4, 0));
    const channel = this.link.open({ host: "a", port: 1 });
    assert(channel);
    this.channel = channel;
    this.pump = new ChannelPump({
      channel,
      driver: this.driver,
      clock: this.clock,
      end: "client",
      stallTimeout: STALL_TIMEOUT_MS,
      tcpKeepAlive: -1,
      halfCloseTimeout: HALF_CLOSE_TIMEOUT_MS,
      ...options,
    });
    this.pump.done.then((summary) => this.#summary = summary);
    this.device.take();
  }

  /** How the channel went, if it is over. */
  summary(): ChannelSummary | undefined {
    return this.#summary;
  }

  attach(): this {
    this.pump.attach(this.client);
    return this;
  }

  /** The device sends DATA. */
  data(payload: Uint8Array): void {
    const { length } = payload;
    const frame = new Uint8Array(4 + length);
    frame.set([length >> 8, length & 255, 3, this.channel.id]);
    frame.set(payload, 4);
    this.device.feed(frame);
  }

  /** The device sends CLOSE. */
  close(): void {
    this.device.feed(v1Close(this.channel.id));
  }

  /** Fills the client's backlog until the link no longer reads. @returns what was sent. */
  async fill(): Promise<number> {
    let sent = 0;
    for (; sent < 2 * MAX_CHANNEL_BACKLOG && this.device.isRead; sent += 60_000) {
      this.data(pattern(60_000));
      await settled();
    }
    return sent;
  }

  /** Ends the link, and sees that nothing is left. */
  async finish(): Promise<void> {
    this.driver.close("shutting-down");
    await settled();
    if (!this.client.closed) this.pump.abort("shutting-down");
    await this.pump.done;
    await settled();
    assert.equal(this.clock.pending, 0, "a timer is left");
    assert.equal(this.driver.chunk.pinned, false, "a chunk is pinned");
  }
}

/** Bytes that tell where they belong. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at * 13 + (at >> 8));
}

/** CLOSE for the fixture's channel. */
export const CLOSE = [0, 0, 2, 1];
