/**
 * The closed family of errors that a peer can cause.
 *
 * Callers compare `code`, never the text.
 *
 * @module
 */

/** What a peer did that ends its link. */
export const PROTOCOL_ERROR_CODES = [
  /** The first frame of a link was not LISTEN. */
  "listen-expected",
  /** A frame had a size that its command cannot have. */
  "bad-size",
  /** A frame had a command that the profile does not know, with a payload behind it. */
  "unknown-command",
  /** A frame that only the other side may send. */
  "wrong-direction",
  /** A field that the receiver has to understand and does not, or one that has a size or a value that it cannot have. */
  "bad-field",
  /** A CONNECT for a channel that is open. */
  "bad-channel",
  /** An acknowledgement of what was never sent, or one that goes back. */
  "bad-position",
  /** More bytes than the receiver of a channel had granted. */
  "credit-exceeded",
  /** The receiver of many frames acknowledged none of them, so that what is kept for it grew too large. */
  "not-acknowledged",
] as const;

/** One of {@linkcode PROTOCOL_ERROR_CODES}. */
export type ProtocolErrorCode = (typeof PROTOCOL_ERROR_CODES)[number];

/** A peer broke the wire protocol; its link has to end, and nothing else. */
export class ProtocolError extends Error {
  /** What the peer did. */
  readonly code: ProtocolErrorCode;

  /** An error with the code and one line for people. */
  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.name = "ProtocolError";
    this.code = code;
  }
}

/** A peer that sends, and was asked to acknowledge, does not: the path to it may carry nothing. */
export class UnansweredError extends Error {
  /** After so many milliseconds. */
  constructor(ms: number) {
    super(`the peer acknowledged nothing for ${Math.round(ms / 1000)} s`);
    this.name = "UnansweredError";
  }
}
