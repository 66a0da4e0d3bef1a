/**
 * Typed events: subscribers are called in the order of their coming, and cannot harm the relay.
 *
 * @module
 */

import { describeError } from "./errors.ts";
import type { Logger } from "./logger.ts";

/** Tells events of type `T` to subscribers. */
export class Emitter<T> {
  readonly #subscribers = new Set<(event: T) => void>();
  readonly #log: Logger;

  /** Errors of subscribers go to `log`. */
  constructor(log: Logger) {
    this.#log = log;
  }

  /** Calls `subscriber` for every event from now on. @returns what ends that. */
  subscribe(subscriber: (event: T) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** Tells an event to all. */
  emit(event: T): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(event);
      } catch (error) {
        this.#log.error("a subscriber failed: {error}", { error: describeError(error) });
      }
    }
  }
}
