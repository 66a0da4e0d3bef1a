/**
 * What a client of socketcand wants to see in its mode BCM: ids, each at most so often, or only when their data changes.
 *
 * @module
 */

import { type CanFrame, ERROR, EXTENDED } from "../frame.ts";
import { MAX_SUBSCRIPTIONS } from "../limits.ts";

interface Subscription {
  /** Seconds between two frames at least. */
  readonly interval: number;
  /** Bits whose change counts; `undefined`: every frame does. */
  readonly mask: Uint8Array | undefined;
  last: CanFrame | undefined;
}

/** The ids of one client. */
export class Subscriptions {
  readonly #ids = new Map<number, Subscription>();

  /** @returns whether there is room for it. */
  add(id: number, flags: number, interval: number, mask: Uint8Array | undefined): boolean {
    const key = keyOf(id, flags);
    if (!this.#ids.has(key) && this.#ids.size >= MAX_SUBSCRIPTIONS) return false;
    this.#ids.set(key, { interval, mask, last: undefined });
    return true;
  }

  /** Ends one that may be there. */
  remove(id: number, flags: number): void {
    this.#ids.delete(keyOf(id, flags));
  }

  /** Ends all. */
  clear(): void {
    this.#ids.clear();
  }

  /** Whether a frame is to be told. It counts as told then. */
  wants(frame: CanFrame): boolean {
    if (frame.flags & ERROR) return false;
    const subscription = this.#ids.get(keyOf(frame.id, frame.flags));
    if (!subscription) return false;
    const { last, mask, interval } = subscription;
    if (last) {
      const passed = frame.time - last.time;
      if (passed >= 0 && passed < interval) return false;
      if (mask && !differs(frame.data, last.data, mask)) return false;
    }
    subscription.last = frame;
    return true;
  }
}

function keyOf(id: number, flags: number): number {
  return flags & EXTENDED ? id + 0x8000_0000 : id;
}

function differs(a: Uint8Array, b: Uint8Array, mask: Uint8Array): boolean {
  if (a.length !== b.length) return true;
  return a.some((byte, at) => ((byte ^ b[at]!) & (mask[at] ?? 0)) !== 0);
}
