/**
 * What a link is to whoever runs it on a socket, whatever the profile.
 *
 * Sans I/O: chunks come in as arguments, the time is asked of a {@linkcode Time}, frames go out through a
 * {@linkcode LinkOutput}, and what happened is told to receivers. Sockets and timers belong to the owner
 * (`relay/link/driver.ts`).
 *
 * @module
 */

import type { ChannelEndReason } from "./reasons.ts";

/** What becomes of the buffer of a DATA frame, and so how it may be written. */
export type FrameFate =
  /** It is written from where it stands, and the sender's again once it has waited. */
  | "lent"
  /** The output copies what it does not write at once: the sender may touch it now. */
  | "copied"
  /** What is written is the copy that the link keeps for replay: the sender may touch its own now. */
  | "logged"
  /** The link keeps the buffer itself until the peer has acknowledged it: the sender goes on with another. */
  | "kept";

/** The fate of a frame; a promise of it if the sender has to wait before it touches the buffer or sends more. */
export type Sent = FrameFate | Promise<FrameFate>;

/** Where a link's frames go, in order. */
export interface LinkOutput {
  /** Bytes that the network has not taken yet. */
  readonly pending: number;
  /** Takes a control frame. Never waits; the frame is the output's from then on. */
  control(frame: Uint8Array): void;
  /** Takes a DATA frame; with `logged` or `kept`, any bytes that are kept for replay. @returns `fate`, now or later. */
  data(frame: Uint8Array, fate: FrameFate): Sent;
}

/** A link of either role and any profile. */
export interface Link {
  /** Whether what was received so far ends with a whole frame. */
  readonly atBoundary: boolean;
  /** When {@linkcode Link.tick} wants to be called, in milliseconds; `Infinity` for never. */
  readonly deadline: number;
  /**
   * Takes what a read brought, and when that was, as its owner knows. May move bytes within `chunk`.
   *
   * @throws {ProtocolError} if the peer broke the protocol: then the link has to end.
   */
  receive(chunk: Uint8Array, now: number): void;
  /** Milliseconds for which its owner had better read nothing more: the peer makes more work than is its due. */
  pause?(now: number): number;
  /** Does what is due. */
  tick(): void;
  /** Ends every channel, as the link is gone. Nothing is sent. */
  end(reason: ChannelEndReason): void;
}
