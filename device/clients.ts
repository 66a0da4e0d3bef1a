/**
 * Every client that a device serves, from its CONNECT to its end: who it is, what it reached, and what it has carried.
 *
 * Bytes are read from its channel when somebody asks: they cost nothing on their way.
 *
 * @module
 */

import type { Time } from "../base/clock.ts";
import type { DatagramCounts } from "../net/udp/counts.ts";
import type { ChannelEndReason } from "../protocol/reasons.ts";
import type { ChannelPump } from "../relay/channel_pump.ts";

/** Whose client it is, and what it came for. */
export interface ClientFacts {
  /** Where it came from; v1 does not tell it. */
  readonly address: string | undefined;
  /** The host address that it came to; v1 does not tell it. */
  readonly hostAddress: string | undefined;
  /** The service: on v1 its address, as the server asked for it; on v2 its name. */
  readonly service: string;
  /** What stands behind the service. */
  readonly localAddress: string;
  /** On v1, the service of the status that allows it, as its owner named it; of one that none allows, and on v2, nothing. */
  readonly rule?: string | undefined;
}

/** A client as it is now. Times are milliseconds. */
export interface DeviceClient extends ClientFacts {
  /** Its number, which no other has while the device runs. */
  readonly id: number;
  /** Since when, by the wall clock, in milliseconds since 1970. */
  readonly since: number;
  /** `leaving`: it has ended, and the service takes what came for it. */
  readonly state: "open" | "leaving";
  /** Bytes from the client to the service. */
  readonly bytesUp: number;
  /** Bytes from the service to the client. */
  readonly bytesDown: number;
  /** What became of its datagrams, if its service is one of UDP and was reached. */
  readonly datagrams?: DatagramCounts | undefined;
}

interface Entry {
  readonly id: number;
  readonly since: number;
  readonly facts: ClientFacts;
  readonly pump: ChannelPump;
}

/** All clients, in the order of their coming. */
export class DeviceClients {
  readonly #time: Time;
  readonly #all = new Map<number, Entry>();
  #last = 0;

  /** Nobody yet. */
  constructor(time: Time) {
    this.#time = time;
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** How many there have been. */
  get total(): number {
    return this.#last;
  }

  /** One comes, and stays until its pump is done. */
  add(pump: ChannelPump, facts: ClientFacts): void {
    const id = ++this.#last;
    this.#all.set(id, { id, since: this.#time.wall(), facts, pump });
    pump.done.then(() => this.#all.delete(id));
  }

  /** The clients as they are now. */
  list(): DeviceClient[] {
    return [...this.#all.values()].map(describe);
  }

  /** One of them, if it is there. */
  get(id: number): DeviceClient | undefined {
    const entry = this.#all.get(id);
    return entry && describe(entry);
  }

  /** Ends one at once. @returns whether it was there. */
  end(id: number, reason: ChannelEndReason): boolean {
    const entry = this.#all.get(id);
    entry?.pump.abortInTurn(reason);
    return entry !== undefined;
  }

  /** Ends those of a service. */
  endService(service: string, reason: ChannelEndReason): void {
    for (const { facts, pump } of [...this.#all.values()]) if (facts.service === service) pump.abortInTurn(reason);
  }

  /** How many there are of a service. */
  count(service: string): number {
    return [...this.#all.values()].filter(({ facts }) => facts.service === service).length;
  }

  /** Resolves when those that are there now have gone. */
  async allGone(): Promise<void> {
    await Promise.all([...this.#all.values()].map(({ pump }) => pump.done));
  }

  /** Resolves when those of a service that are there now have gone. */
  async gone(service: string): Promise<void> {
    const those = [...this.#all.values()].filter(({ facts }) => facts.service === service);
    await Promise.all(those.map(({ pump }) => pump.done));
  }
}

function describe({ id, since, facts, pump: { channel, datagrams } }: Entry): DeviceClient {
  return {
    id,
    ...facts,
    since,
    state: channel.open ? "open" : "leaving",
    bytesUp: channel.payloadReceived,
    bytesDown: channel.payloadSent,
    ...(datagrams && { datagrams }),
  };
}
