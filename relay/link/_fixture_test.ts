/**
 * A link on a fake duplex, for tests of the driver. No tests here.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { V1Channel as Channel } from "../../protocol/v1/channel.ts";
import { V1ServerLink } from "../../protocol/v1/server_link.ts";
import { LinkDriver } from "./driver.ts";
import type { Prober } from "./silence_watch.ts";
import { FakeDuplex, fakeTransport } from "../_fakes_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";

/** The write time of a fixture, in milliseconds. */
export const WRITE_TIMEOUT = 60_000;
/** The first frame of a device. */
export const LISTEN = Uint8Array.of(0, 0, 4, 0);

/** A DATA frame. */
export function data(id: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.of(payload.length >> 8, payload.length & 255, 3, id, ...payload);
}

/** A server's link on a duplex, with a device on the other side that is the test. */
export class LinkFixture {
  readonly clock = new FakeClock();
  readonly duplex = new FakeDuplex();
  readonly driver: LinkDriver;
  readonly link: V1ServerLink;
  readonly told: string[] = [];
  listenings = 0;

  constructor(writeTimeout = WRITE_TIMEOUT) {
    this.driver = new LinkDriver({ transport: fakeTransport(this.duplex), clock: this.clock, writeTimeout });
    this.link = new V1ServerLink(this.driver, this.clock, { onListening: () => this.listenings++ });
  }

  start(opening: Uint8Array = LISTEN, prober?: Prober): this {
    this.driver.start(this.link, opening, prober);
    return this;
  }

  open(): Channel {
    const channel = this.link.open({ host: "a", port: 1 });
    assert(channel);
    channel.receiver = {
      onData: (bytes) => this.told.push(`data ${bytes.length}`),
      onEnd: (reason) => this.told.push(`end ${reason}`),
    };
    return channel;
  }

  /** Ends the link and sees that nothing is left of it. */
  async finish(): Promise<void> {
    this.driver.close("shutting-down");
    await this.driver.ended;
    await settled();
    assert.equal(this.duplex.closed, true);
    assert.equal(this.clock.pending, 0, "a timer is left");
  }
}
