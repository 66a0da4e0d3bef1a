/**
 * Who is read to: so many at once, and whoever takes long makes room for the next.
 *
 * @module
 */

import { MAX_METRICS_READERS, METRICS_READ_MS } from "../limits.ts";
import type { Time } from "../../base/clock.ts";

/** One that is read to. */
interface Reading {
  readonly since: number;
  /** Ends it. */
  drop(): void;
}

/** Answers that are on their way. */
export class Readings {
  readonly #time: Time;
  /** The oldest first. */
  readonly #all = new Set<Reading>();

  /** None yet. */
  constructor(time: Time) {
    this.#time = time;
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** Whether there is room for one more, be it that of one that had its time. */
  hasRoom(): boolean {
    if (this.#all.size < MAX_METRICS_READERS) return true;
    const [oldest] = this.#all;
    if (this.#time.now() - oldest!.since < METRICS_READ_MS) return false;
    oldest!.drop();
    return true;
  }

  /** The same answer, which counts until all of it was taken, or its reader went. */
  track(answer: Response): Response {
    if (!answer.body) return answer;
    const reader = answer.body.getReader();
    const gone = Promise.withResolvers<void>();
    const over = () => this.#all.delete(reading);
    const reading: Reading = {
      since: this.#time.now(),
      drop() {
        over();
        reader.cancel().catch(() => {});
      },
    };
    this.#all.add(reading);
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const { value, done } = await reader.read();
          // An end would make half of it look whole, and the runtime writes errors to the log: its connection is cut as an idle one.
          if (!this.#all.has(reading)) return gone.promise;
          if (!done) return controller.enqueue(value);
          controller.close();
          over();
        } catch (error) {
          over();
          throw error;
        }
      },
      async cancel(reason) {
        gone.resolve();
        over();
        await reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
    return new Response(body, answer);
  }
}
