/**
 * Whether a service is up: looked at now and then, while its owner wants the host port closed when it is down.
 *
 * @module
 */

import { WATCH_INTERVAL_MS, WATCH_TIMEOUT_MS } from "../limits.ts";
import { DIAL_WAIT_MS } from "../../net/limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { Reach } from "../endpoints/endpoint.ts";
import { isShortage } from "../endpoints/service_reach.ts";

/** What a look may take: longer than a dial waits for its turn, so that the want of one is not taken for silence. */
const LOOK_MS = Math.max(WATCH_TIMEOUT_MS, DIAL_WAIT_MS + 1);

export class ServiceWatch {
  /** Whether the service took a connection when it was looked at last; `undefined` before. */
  up: boolean | undefined;

  readonly #reach: Reach;
  readonly #clock: Clock;
  readonly #onChange: (up: boolean) => void;
  readonly #stop = new AbortController();
  #cancel: () => void = () => {};
  #looking = false;

  /** Looks at once, then every other second; `onChange` hears of the first look too. */
  constructor(reach: Reach, clock: Clock, onChange: (up: boolean) => void) {
    this.#reach = reach;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#look();
  }

  /** A client could not reach it, or could: no need to wait for the next look. */
  hint(up: boolean): void {
    if (!this.#stop.signal.aborted) this.#learn(up);
  }

  /** Looks no more. */
  close(): void {
    this.#stop.abort();
    this.#cancel();
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    let up: boolean | undefined = false;
    try {
      await this.#reach.look?.(LOOK_MS, this.#stop.signal);
      up = true;
    } catch (error) {
      // Refused, unreachable, or too slow: it is down. But what this device is short of says nothing about it.
      if (isShortage(error)) up = this.up;
    }
    this.#looking = false;
    if (this.#stop.signal.aborted) return;
    if (up !== undefined) this.#learn(up);
    this.#cancel = this.#clock.after(WATCH_INTERVAL_MS, () => this.#look());
  }

  #learn(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    this.#onChange(up);
  }
}
