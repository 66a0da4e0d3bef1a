/**
 * What the links of a device cost in a day: idle, and while clients were there.
 *
 * @module
 */

import type { Time } from "../../base/clock.ts";
import { PACKET_PART, PIECE_BYTES, RECORD_BYTES } from "../limits.ts";

/** What was on the wire in one day (UTC), as whole IP packets both ways; about, as nobody counts packets here. */
export interface BytesOfDay {
  /** The day, as in `2027-01-31`. */
  readonly day: string;
  /** Bytes while no client was there. */
  readonly idle: number;
  /** Bytes while there was one. */
  readonly carried: number;
}

/** What a link has carried so far. */
export interface Carried {
  /** Bytes of frames, both ways. */
  readonly bytes: number;
  /** Reads and writes. */
  readonly pieces: number;
}

/** Bytes on the wire for what a link has carried: frames, and for each piece a record, headers, and acknowledgements. */
export function bytesOnWire({ bytes, pieces }: Carried, isPlain: boolean): number {
  return bytes + Math.ceil(bytes / PACKET_PART) + pieces * (PIECE_BYTES + (isPlain ? 0 : RECORD_BYTES));
}

/** The sums of a device, over all its links. */
export class DayBytes {
  readonly #time: Pick<Time, "wall">;
  readonly #limit: () => number;
  readonly #onOver: (today: BytesOfDay) => void;
  #today: BytesOfDay;
  #yesterday: BytesOfDay | undefined;
  #isTold = false;

  /** Starts at 0. `onOver` is called when a day comes to more than `limit` bytes, once a day; 0 is none. */
  constructor(time: Pick<Time, "wall">, limit: () => number = () => 0, onOver: (today: BytesOfDay) => void = () => {}) {
    this.#time = time;
    this.#limit = limit;
    this.#onOver = onOver;
    this.#today = this.#newDay();
  }

  /** Today, so far. */
  get today(): BytesOfDay {
    this.#turn();
    return this.#today;
  }

  /** The day before that was counted, if there was one. */
  get before(): BytesOfDay | undefined {
    this.#turn();
    return this.#yesterday;
  }

  /** So many bytes more; `carried`: while a client was there. */
  add(bytes: number, carried: boolean): void {
    this.#turn();
    const { day, idle, carried: before } = this.#today;
    this.#today = { day, idle: carried ? idle : idle + bytes, carried: carried ? before + bytes : before };
    const limit = this.#limit();
    if (limit === 0 || this.#isTold || idle + before + bytes <= limit) return;
    this.#isTold = true;
    this.#onOver(this.#today);
  }

  #turn(): void {
    const now = this.#newDay();
    if (now.day === this.#today.day) return;
    this.#yesterday = this.#today;
    this.#today = now;
    this.#isTold = false;
  }

  #newDay(): BytesOfDay {
    return { day: new Date(this.#time.wall()).toISOString().slice(0, 10), idle: 0, carried: 0 };
  }
}

/** Tells what one session's links cost, each time that it is looked at. */
export class LinkBytes {
  readonly #tell: (bytes: number, carried: boolean) => void;
  #told = 0;
  #inUse = false;

  /** `tell` hears of what came since the last look. */
  constructor(tell: (bytes: number, carried: boolean) => void) {
    this.#tell = tell;
  }

  /** Another link begins, which has cost `bytes` before anything was carried. */
  begin(bytes: number): void {
    this.#told = 0;
    this.#tell(bytes, false);
  }

  /** The link has cost `bytes` by now. `inUse`: whether a client is there. */
  look(bytes: number, inUse: boolean): void {
    if (bytes > this.#told) this.#tell(bytes - this.#told, this.#inUse);
    this.#told = bytes;
    this.#inUse = inUse;
  }

  /** Whether a client was there at the last look, or since. */
  get inUse(): boolean {
    return this.#inUse;
  }
}
