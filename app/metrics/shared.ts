/**
 * Families that both roles have: what each side of a link counts.
 *
 * @module
 */

import { CHANNEL_END_REASONS, LINK_END_REASONS } from "../../protocol/reasons.ts";
import { DATAGRAM_WORDS, type DatagramCounts } from "../../net/udp/counts.ts";
import type { Counter, Histogram, Sample } from "./family.ts";
import type { Registry } from "./registry.ts";

/** Upper bounds of the groups of interruptions, in seconds. */
export const INTERRUPTION_BOUNDS = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 15, 30, 60, 300, 900, 3600] as const;

/** What is counted of links, channels and bytes. */
export interface LinkCounters {
  readonly starts: Counter;
  readonly ends: Counter;
  readonly interruptions: Counter;
  readonly interruptionSeconds: Histogram;
  readonly resumes: Counter;
  readonly replayed: Counter;
  readonly channelEnds: Counter;
}

/** Adds them. */
export function addLinkCounters(registry: Registry): LinkCounters {
  return {
    starts: registry.counter({
      name: "sallyport_link_starts_total",
      help: "Links that came up for a new session; a resumed session is none.",
    }),
    ends: registry.counter({
      name: "sallyport_link_ends_total",
      help: "Links that ended with their session, by why.",
      labels: { reason: LINK_END_REASONS },
    }),
    interruptions: registry.counter({
      name: "sallyport_interruptions_total",
      help: "Sessions that lost their link and waited for another, by why.",
      labels: { reason: LINK_END_REASONS },
    }),
    interruptionSeconds: registry.histogram({
      name: "sallyport_interruption_seconds",
      help: "How long sessions were without a link that went on.",
    }, INTERRUPTION_BOUNDS),
    resumes: registry.counter({
      name: "sallyport_resumes_total",
      help:
        "Sessions that went on over another link: resumed after an interruption, or moved from one that was still up.",
      labels: { kind: ["resumed", "moved"] },
    }),
    replayed: registry.counter({
      name: "sallyport_replayed_bytes_total",
      help: "Bytes that were sent again when a session went on.",
    }),
    channelEnds: registry.counter({
      name: "sallyport_channel_ends_total",
      help: "Channels, each a client's connection, that ended, by why.",
      labels: { reason: CHANNEL_END_REASONS },
    }),
  };
}

/** Adds what became of the datagrams of all services over UDP, as `read` has it. */
export function addDatagrams(registry: Registry, read: () => DatagramCounts): void {
  registry.sampled("counter", {
    name: "sallyport_datagrams_total",
    help: "Datagrams of all services over UDP, by what became of them on this side.",
    labels: { fate: DATAGRAM_WORDS },
  }, () => Object.entries(read()).map(([fate, count]): Sample => [[fate], count]));
}

/** A session goes on. */
export function countResumed(
  counters: LinkCounters,
  { moved = false, interrupted, replayed }: {
    readonly moved?: boolean;
    readonly interrupted: number;
    readonly replayed: number;
  },
): void {
  counters.resumes.add(1, moved ? "moved" : "resumed");
  counters.replayed.add(replayed);
  if (!moved) counters.interruptionSeconds.observe(interrupted / 1000);
}

/** A number that never goes back, whatever is read: what is counted while others come and go may be a little behind. */
export class Rising {
  #most = 0;

  /** The greatest that was ever given. */
  of(number: number): number {
    return this.#most = Math.max(this.#most, number);
  }
}
