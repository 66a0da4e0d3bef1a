/**
 * How a link ends: the reason that a failure is, what its channels are told, and whether the socket can be closed in order.
 *
 * @module
 */

import { ProtocolError, UnansweredError } from "../../protocol/errors.ts";
import type { ChannelEndReason, LinkEndReason } from "../../protocol/reasons.ts";
import { describeError, errorCode, isTlsCut } from "../../base/errors.ts";

/** Why and how a link ended. */
export interface LinkEnd {
  /** One word. */
  readonly reason: LinkEndReason;
  /** One line more for people, where there is more to say. */
  readonly detail: string | undefined;
  /** Channels that ended with it, where that is counted: on v2. */
  readonly clients?: number;
}

const STANDING_STILL: ReadonlySet<LinkEndReason> = new Set(["write-timeout", "keep-alive-timeout", "replaced"]);

/** Whether the peer may never take what is queued, so that its socket is cut rather than closed. */
export function standsStill(reason: LinkEndReason): boolean {
  return STANDING_STILL.has(reason);
}

const RESUMABLE: ReadonlySet<LinkEndReason> = new Set([
  "peer-closed",
  "connection-lost",
  "write-timeout",
  "keep-alive-timeout",
  "dropped",
]);

/** Whether a session may go on over another link: it was the path that failed, and nobody who wanted an end. */
export function isResumable(reason: LinkEndReason): boolean {
  return RESUMABLE.has(reason);
}

/** The end of a link whose peer has closed it; `atBoundary`: not in the middle of a frame. */
export function peerClosed(atBoundary: boolean): LinkEnd {
  return { reason: "peer-closed", detail: atBoundary ? undefined : "in the middle of a frame" };
}

/** The end that an error of reading or decoding is. */
export function endOf(error: unknown): LinkEnd {
  if (error instanceof ProtocolError) return { reason: "protocol-error", detail: error.message };
  if (error instanceof UnansweredError) return { reason: "write-timeout", detail: error.message };
  // The system has asked the peer, or sent it the same again, and had no answer.
  if (errorCode(error) === "ETIMEDOUT") return { reason: "keep-alive-timeout", detail: describeError(error) };
  return { reason: isTlsCut(error) ? "peer-closed" : "connection-lost", detail: describeError(error) };
}

/** What the channels of a link are told when it ends. */
export function channelReason(reason: LinkEndReason): ChannelEndReason {
  return reason === "shutting-down" ? "shutting-down" : "link-lost";
}

const ORDERLY: ReadonlySet<LinkEndReason> = new Set(["peer-closed", "goodbye", "shutting-down", "replaced"]);

/** How loudly the end of a link is told: one that nobody meant is a warning, on both sides and profiles. */
export function linkEndLevel(reason: LinkEndReason): "info" | "warn" {
  return ORDERLY.has(reason) ? "info" : "warn";
}
