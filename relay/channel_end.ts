/**
 * How a channel ends: the reasons of its connection's ends, what they cost, and the summary of its life.
 *
 * @module
 */

import type { ChannelEndReason } from "../protocol/reasons.ts";

/** How a channel went. */
export interface ChannelSummary {
  /** Why it ended. */
  readonly reason: ChannelEndReason;
  /** Bytes read from the connection and sent on the channel; of datagrams, their own. */
  readonly bytesSent: number;
  /** Bytes that came on the channel; of datagrams, their own. */
  readonly bytesReceived: number;
  /** Milliseconds from its opening to the close of its connection. */
  readonly duration: number;
}

/** The summary of a channel that never was. */
export function nothingCarried(reason: ChannelEndReason): ChannelSummary {
  return { reason, bytesSent: 0, bytesReceived: 0, duration: 0 };
}

/** The reasons that the ends of a connection and of its channel have. */
export interface ConnectionEnds {
  /** The connection ended its writing side. */
  readonly own: ChannelEndReason;
  /** The other side of the channel did. */
  readonly peer: ChannelEndReason;
  /** The connection failed. */
  readonly reset: ChannelEndReason;
}

/** By who is at the other end of the connection. */
export const CONNECTION_ENDS = {
  client: { own: "client-closed", peer: "service-closed", reset: "client-reset" },
  service: { own: "service-closed", peer: "client-closed", reset: "service-reset" },
} as const satisfies Readonly<Record<string, ConnectionEnds>>;

const ORDERLY: ReadonlySet<ChannelEndReason> = new Set(["client-closed", "service-closed"] as const);

/** Whether an end is one that a peer meant, with all it had to say. Any other is passed on as a reset. */
export function isOrderly(reason: ChannelEndReason): boolean {
  return ORDERLY.has(reason);
}

const DROPPING: ReadonlySet<ChannelEndReason> = new Set([
  ...["client-reset", "service-reset", "service-unreachable", "service-refused", "connect-timeout"] as const,
  ...["not-allowed", "too-many-channels", "service-down", "stalled"] as const,
]);

/** Whether what is queued is dropped at such an end, where the profile says why a channel ends. */
export function dropsBacklog(reason: ChannelEndReason): boolean {
  return DROPPING.has(reason);
}
