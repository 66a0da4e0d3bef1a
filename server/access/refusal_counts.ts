/**
 * How many clients rules refused or ended, by reason.
 *
 * @module
 */

import type { ChannelEndReason } from "../../protocol/reasons.ts";

/** Those of a whole server, since it runs. */
export class RefusalCounts {
  readonly #counts = new Map<ChannelEndReason, number>();

  /** One more. */
  readonly add = (reason: ChannelEndReason): void => {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  };

  /** By reason; those that there was none of are not among them. */
  get all(): Readonly<Partial<Record<ChannelEndReason, number>>> {
    return Object.fromEntries(this.#counts);
  }
}
