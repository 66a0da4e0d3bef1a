/**
 * Bytes that clients carried between two looks: read from their channels when somebody looks, so that they cost nothing on
 * their way.
 *
 * @module
 */

import type { Steps } from "../../base/slices.ts";
import type { ClientEndEvent } from "../events.ts";
import type { ClientEntry } from "../ports/client_table.ts";

/** Bytes both ways. */
export interface Bytes {
  up: number;
  down: number;
}

/** Of all clients, or of those of one device. */
class Flow {
  /** Bytes of clients that have ended since the last look. */
  #ended: Bytes = { up: 0, down: 0 };
  /** Bytes of living clients that were counted. */
  #counted: Bytes = { up: 0, down: 0 };

  end({ bytesUp, bytesDown }: ClientEndEvent): void {
    this.#ended.up += bytesUp;
    this.#ended.down += bytesDown;
  }

  /** Those that ended during the look are counted with the next. */
  begin(): Bytes {
    const ended = this.#ended;
    this.#ended = { up: 0, down: 0 };
    return ended;
  }

  /** What was carried since the last look. */
  finish(ended: Bytes, live: Bytes): Bytes {
    const since = { up: ended.up + live.up - this.#counted.up, down: ended.down + live.down - this.#counted.down };
    // A client that ended while the others were looked at has not told its bytes yet: they are owed to the next look.
    this.#counted = { up: live.up + Math.max(0, -since.up), down: live.down + Math.max(0, -since.down) };
    return { up: Math.max(0, since.up), down: Math.max(0, since.down) };
  }

  get isNothing(): boolean {
    const { up, down } = this.#counted;
    return up + down + this.#ended.up + this.#ended.down === 0;
  }
}

/** What was carried. */
export interface Carried {
  readonly all: Bytes;
  /** By the device's name, if that was asked for. */
  readonly devices: ReadonlyMap<string, Bytes>;
}

/** Counts what is carried by all, and by each device. */
export class Traffic {
  readonly #all = new Flow();
  readonly #devices = new Map<string, Flow>();

  /** A client has ended. */
  end(event: ClientEndEvent): void {
    this.#all.end(event);
    if (event.device !== undefined && event.bytesUp + event.bytesDown > 0) this.#flowOf(event.device).end(event);
  }

  /** What all carried since the last look; with `each`, also each device since the last look of that kind. */
  *look(clients: Iterable<ClientEntry>, each: boolean): Steps<Carried> {
    const ended = this.#all.begin();
    const endedBy = each ? new Map([...this.#devices].map(([name, flow]) => [name, flow.begin()])) : undefined;
    const live = { up: 0, down: 0 };
    const liveBy = new Map<string, Bytes>();
    for (const client of clients) {
      yield;
      const { device, bytesUp, bytesDown } = client.describe();
      live.up += bytesUp;
      live.down += bytesDown;
      if (!each || device === undefined) continue;
      const of = liveBy.get(device) ?? { up: 0, down: 0 };
      liveBy.set(device, { up: of.up + bytesUp, down: of.down + bytesDown });
    }
    const devices = new Map<string, Bytes>();
    for (const name of endedBy ? new Set([...endedBy.keys(), ...liveBy.keys()]) : []) {
      yield;
      const flow = this.#flowOf(name);
      const none = { up: 0, down: 0 };
      devices.set(name, flow.finish(endedBy!.get(name) ?? none, liveBy.get(name) ?? none));
      if (flow.isNothing) this.#devices.delete(name); // so there are as many as carry something
    }
    return { all: this.#all.finish(ended, live), devices };
  }

  #flowOf(name: string): Flow {
    let flow = this.#devices.get(name);
    if (!flow) this.#devices.set(name, flow = new Flow());
    return flow;
  }
}
