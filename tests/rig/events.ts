/**
 * Waiting for the events of a handle.
 *
 * @module
 */

import { within } from "./wait.ts";

/** What has events: the handle of a server or of a device. */
export interface EventSource<T> {
  /** Calls `subscriber` for every event from now on. */
  subscribe(subscriber: (event: T) => void): () => void;
}

/** Collects the events of a handle, and waits for those that have not come yet. */
export class Events<T extends { readonly type: string }> {
  /** All events so far. */
  readonly seen: T[] = [];
  readonly #unread: T[] = [];
  #wake = Promise.withResolvers<void>();

  /** Subscribes at once. */
  constructor(source: EventSource<T>) {
    source.subscribe((event) => {
      this.seen.push(event);
      this.#unread.push(event);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers<void>();
    });
  }

  /** The oldest event of a type that was not returned before. */
  async next<K extends T["type"]>(type: K): Promise<Extract<T, { readonly type: K }>> {
    for (;;) {
      const at = this.#unread.findIndex((event) => event.type === type);
      if (at >= 0) return this.#unread.splice(at, 1)[0] as Extract<T, { readonly type: K }>;
      await within(this.#wake.promise, `the event "${type}"; seen: ${this.seen.map((event) => event.type)}`);
    }
  }

  /** The types so far, in order. */
  get types(): string[] {
    return this.seen.map((event) => event.type);
  }
}
