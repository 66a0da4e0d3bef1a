/**
 * Every client of the server, from its door to its end: who it is, where it came, and what it has carried.
 *
 * Bytes are read from its channel when somebody asks: they cost nothing on their way.
 *
 * @module
 */

import type { DatagramCounts } from "../../net/udp/counts.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { ChannelPump } from "../../relay/channel_pump.ts";
import type { Time } from "../../base/clock.ts";

/** What a client is doing: it waits for a channel, is served, or has ended and takes what came for it. */
export type ClientState = "waiting" | "open" | "leaving";

/** A client as it is now. Times are milliseconds. */
export interface ServedClient {
  /** Its number, which no other has while the server runs. */
  readonly id: number;
  /** Where it came from: its own address also behind a load balancer that says so. */
  readonly address: string;
  /** The device's name; v1 has none. */
  readonly device: string | undefined;
  /** The service: on v1 as the device dials it, on v2 its name. */
  readonly service: string;
  /** The host address that it came to. */
  readonly hostAddress: string;
  /** Since when, by the wall clock, in milliseconds since 1970. */
  readonly since: number;
  /** What it is doing. */
  readonly state: ClientState;
  /** Bytes from the client to the service. */
  readonly bytesUp: number;
  /** Bytes from the service to the client. */
  readonly bytesDown: number;
  /** What became of its datagrams, if it came to a host port of UDP and has a channel. */
  readonly datagrams?: DatagramCounts | undefined;
}

/** Where a client came, as its owner knows it; names may change while it is there. */
export interface ClientPlace {
  readonly device: string | undefined;
  readonly service: string;
  readonly hostAddress: string;
}

/** A client in the table. */
export class ClientEntry {
  readonly id: number;
  /** Where it came from. */
  readonly address: string;
  /** What serves it, once something does. */
  pump: ChannelPump | undefined;
  readonly #since: number;
  readonly #place: () => ClientPlace;
  readonly #turnAway: () => void;

  /** A client that has no channel yet, and goes by `turnAway` while that is so. */
  constructor(id: number, address: string, since: number, place: () => ClientPlace, turnAway: () => void) {
    this.id = id;
    this.address = address;
    this.#since = since;
    this.#place = place;
    this.#turnAway = turnAway;
  }

  /** Where it came. */
  get place(): ClientPlace {
    return this.#place();
  }

  /** The client as it is now. */
  describe(): ServedClient {
    const { channel, datagrams } = this.pump ?? {};
    return {
      id: this.id,
      address: this.address,
      ...this.#place(),
      since: this.#since,
      state: !channel ? "waiting" : channel.open ? "open" : "leaving",
      bytesUp: channel?.payloadSent ?? 0,
      bytesDown: channel?.payloadReceived ?? 0,
      ...(datagrams && { datagrams }),
    };
  }

  /** Ends it at once. */
  end(reason: ChannelEndReason): void {
    if (this.pump) this.pump.abortInTurn(reason);
    else this.#turnAway();
  }
}

/** All clients, in the order of their coming. */
export class ClientTable implements Iterable<ClientEntry> {
  readonly #time: Time;
  readonly #all = new Map<number, ClientEntry>();
  #last = 0;
  /** Called when one has gone. */
  onLeft: (client: ClientEntry) => void = () => {};

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

  [Symbol.iterator](): Iterator<ClientEntry> {
    return this.#all.values();
  }

  /** The client of a number, if it is there. */
  get(id: number): ClientEntry | undefined {
    return this.#all.get(id);
  }

  /** One comes. */
  add(address: string, place: () => ClientPlace, turnAway: () => void): ClientEntry {
    const entry = new ClientEntry(++this.#last, address, this.#time.wall(), place, turnAway);
    this.#all.set(entry.id, entry);
    return entry;
  }

  /** Whether there is one of whom something holds. */
  some(test: (client: ClientEntry) => boolean): boolean {
    return this.#all.values().some(test);
  }

  /** It has gone. */
  delete(entry: ClientEntry): void {
    this.#all.delete(entry.id);
    this.onLeft(entry);
  }
}
