/**
 * The pumps of a session: one for each connection that has a channel, or had one and still takes what came for it.
 *
 * @module
 */

import { eachInSlices } from "../base/slices.ts";
import { MAX_LEAVING_CHANNELS } from "./limits.ts";
import type { Channel } from "../protocol/channel.ts";
import type { ChannelEndReason } from "../protocol/reasons.ts";
import { ChannelPump, type ChannelPumpOptions } from "./channel_pump.ts";

/** What the settings of either role say of pumps. */
export interface PumpSettings extends Pick<ChannelPumpOptions, "clock" | "stallTimeout" | "tcpKeepAlive"> {
  /** See {@linkcode ChannelPumpOptions.halfCloseTimeout}. @default {0} */
  readonly halfCloseTimeout?: number;
}

/** All of a session, in the order of their coming. */
export class Pumps implements Iterable<ChannelPump> {
  readonly #options: Omit<ChannelPumpOptions, "channel">;
  /** With what each is to. */
  readonly #all = new Map<ChannelPump, unknown>();

  /** None yet. `driver`: where their bytes come from; `end`: who is at the other end of their connections. */
  constructor(driver: ChannelPumpOptions["driver"], end: ChannelPumpOptions["end"], settings: PumpSettings) {
    const { clock, stallTimeout, tcpKeepAlive, halfCloseTimeout = 0 } = settings;
    this.#options = { driver, end, clock, stallTimeout, tcpKeepAlive, halfCloseTimeout };
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<ChannelPump> {
    return this.#all.keys();
  }

  /** Makes the pump of a channel to a `service`. It is among them until its connection is closed. */
  add(channel: Channel, service: unknown): ChannelPump {
    const pump = new ChannelPump({ ...this.#options, channel });
    this.#all.set(pump, service);
    pump.done.then(() => this.#all.delete(pump));
    return pump;
  }

  /**
   * Makes room where more than {@linkcode MAX_LEAVING_CHANNELS} are leaving, so that those who read nothing keep nobody
   * else out. It is the service with most of them whose oldest loses what it has not taken, so that the clients of
   * others get all of theirs.
   *
   * @param open How many of them have an open channel.
   */
  makeRoom(open: number): void {
    if (this.#all.size - open <= MAX_LEAVING_CHANNELS) return;
    const leaving = new Map<unknown, ChannelPump[]>();
    let over = -MAX_LEAVING_CHANNELS;
    for (const [pump, service] of this.#all) {
      if (pump.channel.open || pump.isEnding) continue;
      over++;
      const same = leaving.get(service);
      if (same) same.push(pump);
      else leaving.set(service, [pump]);
    }
    for (; over > 0; over--) {
      let most: ChannelPump[] = [];
      for (const some of leaving.values()) if (some.length > most.length) most = some;
      most.shift()?.abort("stalled");
    }
  }

  /** Ends all in order. Resolves when what came for them is delivered, or they are aborted. */
  async end(reason: ChannelEndReason): Promise<void> {
    const all = [...this.#all.keys()];
    await eachInSlices(all, this.#options.clock, (pump) => pump.end(reason)); // those of other sessions go on meanwhile
    await Promise.all(all.map((pump) => pump.done));
  }

  /** Ends all at once; what came and was not delivered is dropped. */
  abort(reason: ChannelEndReason): void {
    for (const pump of this.#all.keys()) pump.abort(reason);
  }

  /** The same by a rule, while others go on: see {@linkcode ChannelPump.abortInTurn}. */
  abortInTurn(reason: ChannelEndReason): void {
    for (const pump of this.#all.keys()) pump.abortInTurn(reason);
  }

  /** Resolves when all that there are now are done. */
  async done(): Promise<void> {
    await Promise.all([...this.#all.keys()].map((pump) => pump.done));
  }
}
