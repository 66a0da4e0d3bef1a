/**
 * Whose turn it is to send on a link.
 *
 * @module
 */

import { V2_SHARED_PAYLOAD } from "../limits.ts";

/** Quanta that silent channels may send ahead of the busy ones in a round. */
const AHEAD = 4;

/** What waits: a channel, by the piece that it has to send now. */
export interface Waiting {
  /** Bytes of the piece that can be sent, above 0 while it waits. It falls as they are sent. */
  readonly size: number;
}

/** Who may send, and how many bytes. The queue has one of these, and fills it anew each time. */
export interface Turn<T> {
  item: T;
  size: number;
}

/** A channel that waits, or that was served not long ago; a link in one ring of a {@linkcode FairQueue}. */
class Place<T> {
  item: T | undefined;
  waits = false;
  round = 0;
  left = 0;
  before: Place<T> = this;
  after: Place<T> = this;

  get alone(): boolean {
    return this.after === this;
  }

  unlink(): void {
    this.before.after = this.after;
    this.after.before = this.before;
    this.before = this.after = this;
  }

  /** Takes its place at the end of the ring that begins at `head`. */
  join(head: Place<T>): void {
    this.unlink();
    this.before = head.before;
    this.after = head;
    head.before.after = this;
    head.before = this;
  }
}

/**
 * Deficit round robin (Shreedhar and Varghese, 1996) of channels that have at most one piece to send each, where one
 * that was silent goes first, as new flows do in FQ-CoDel (RFC 8290).
 *
 * In each round a channel may send one quantum. It sends while it has some of it left; what a frame goes beyond that
 * is carried, and missing in the next round. A channel whose piece was sent in full leaves, typically to come back with
 * the next one very soon: then it goes on with what it has left in that round. Only when it was not served for one whole
 * round it was silent, and goes first, with a quantum for that round like all others. So it cannot come first twice in
 * a round; and as ever new channels could, those that come when {@linkcode AHEAD} quanta went ahead wait for the next.
 *
 * Every step takes constant time, and nothing is allocated once as many channels have waited as ever do.
 */
export class FairQueue<T extends Waiting> {
  #quantum: number;
  #nextQuantum: number;
  readonly #places = new Map<T, Place<T>>();
  readonly #turn: { item: T | undefined; size: number } = { item: undefined, size: 0 };
  #waiting = 0;
  #round = 0;
  #ahead = 0;

  // Heads of rings. Who waits: silent ones, those who have not had all of this round, those who have.
  readonly #silent = new Place<T>();
  #current = new Place<T>();
  #next = new Place<T>();
  // Who was served in this round and does not wait, and who was in the one before; places to be used again.
  #left = new Place<T>();
  #leftBefore = new Place<T>();
  readonly #spare = new Place<T>();

  /** A queue in which a channel sends `quantum` bytes in each round. */
  constructor(quantum: number = V2_SHARED_PAYLOAD) {
    this.#quantum = this.#nextQuantum = quantum;
  }

  /** Bytes that a channel sends in this round; no frame should be larger while several wait. */
  get quantum(): number {
    return this.#quantum;
  }

  /** The same from the next round on, so that all have the same in each. */
  set quantum(bytes: number) {
    this.#nextQuantum = bytes;
    if (this.#waiting === 0) this.#quantum = bytes;
  }

  /** Channels that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** `item` has something to send. Does nothing if it waits already. */
  add(item: T): void {
    let place = this.#places.get(item);
    if (place?.waits) return;
    if (!place) {
      place = this.#newPlace(item);
      place.round = this.#round;
      const ahead = this.#ahead < AHEAD * this.#quantum;
      if (ahead) {
        place.left = this.#quantum;
        this.#ahead += Math.min(item.size, this.#quantum);
      }
      place.join(ahead ? this.#silent : this.#next);
    } else {
      place.join(place.round === this.#round && place.left <= 0 ? this.#next : this.#current);
    }
    place.waits = true;
    this.#waiting++;
  }

  /** `item` is gone. Does nothing if it is not known. */
  forget(item: T): void {
    const place = this.#places.get(item);
    if (!place) return;
    if (place.waits) this.#leave(place);
    this.#forget(place);
  }

  /**
   * Says whose turn it is, and counts the bytes as sent: `most` at most, and a quantum at most while others wait.
   * A channel whose piece is thereby sent in full leaves.
   *
   * @returns `undefined` if nobody waits. What is returned holds until the next call.
   */
  next(most: number): Turn<T> | undefined {
    if (this.#waiting === 0 || most <= 0) return undefined;
    const place = this.#choose();
    const item = place.item!;
    const alone = this.#waiting === 1;
    const size = Math.min(item.size, most, alone ? Infinity : this.#quantum);
    // Nobody waited while it was alone, so it owes nobody anything.
    place.left = alone ? Math.max(0, place.left - size) : place.left - size;
    if (size === item.size) {
      this.#leave(place);
    } else if (place.left <= 0) {
      place.join(this.#next);
    }
    this.#turn.item = item;
    this.#turn.size = size;
    return this.#turn as Turn<T>;
  }

  #choose(): Place<T> {
    if (!this.#silent.alone) return this.#silent.after;
    if (this.#current.alone) this.#beginRound();
    const place = this.#current.after;
    if (place.round !== this.#round) this.#refill(place);
    return place;
  }

  #leave(place: Place<T>): void {
    place.waits = false;
    this.#waiting--;
    place.join(this.#left);
  }

  #beginRound(): void {
    this.#round++;
    this.#quantum = this.#nextQuantum;
    this.#ahead = 0;
    [this.#current, this.#next] = [this.#next, this.#current];
    while (!this.#leftBefore.alone) this.#forget(this.#leftBefore.after);
    [this.#left, this.#leftBefore] = [this.#leftBefore, this.#left];
  }

  #refill(place: Place<T>): void {
    place.round = this.#round;
    place.left = Math.min(0, place.left) + this.#quantum;
  }

  #newPlace(item: T): Place<T> {
    const place = this.#spare.alone ? new Place<T>() : this.#spare.after;
    place.unlink();
    place.item = item;
    this.#places.set(item, place);
    return place;
  }

  #forget(place: Place<T>): void {
    this.#places.delete(place.item!);
    place.item = undefined;
    place.left = 0;
    place.join(this.#spare);
  }
}
