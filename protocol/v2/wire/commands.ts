/**
 * Commands of wire profile v2; `v2.md`, "Framing" and "Commands".
 *
 * @module
 */

/** What a frame says. */
export const V2Command = {
  /** Server: a client wants to reach a service. */
  CONNECT: 0x01,
  /** Both: a channel ends at once, both ways. */
  CLOSE: 0x02,
  /** Both: bytes of a channel. */
  DATA: 0x03,
  /** Device: offers services. Server: says what was granted. */
  LISTEN: 0x04,
  /** Device: how a CONNECT went. */
  RESULT: 0x05,
  /** Both: the sender will send no more on the channel. */
  END: 0x06,
  /** Both: more bytes may be sent on the channel. */
  CREDIT: 0x07,
  /** Both: what is in force, and what is wanted. */
  SETTINGS: 0x08,
  /** Device: who it is. */
  HELLO: 0x40,
  /** Server: who it is, proved. */
  CHALLENGE: 0x41,
  /** Device: the proof. */
  AUTH: 0x42,
  /** Server: the link is up. */
  WELCOME: 0x43,
  /** Both: the last frame. */
  GOODBYE: 0x44,
  /** Both: what has been received. */
  ACK: 0x45,
  /** Both: are you there? */
  PING: 0x46,
  /** Both: the answer. */
  PONG: 0x47,
} as const;

/** One of {@linkcode V2Command}. */
export type V2Command = (typeof V2Command)[keyof typeof V2Command];

/** Set in commands whose frames do not count towards the position. */
export const NOT_NUMBERED = 0x40;

/** Set in commands that a peer may skip when it does not know them. */
export const SKIPPABLE = 0x80;

const KNOWN: ReadonlySet<number> = new Set(Object.values(V2Command));

/** Whether this side knows a command. */
export function isKnown(command: number): command is V2Command {
  return KNOWN.has(command);
}

/** Whether a frame is passed over, as this side does not know its command and need not. */
export function isSkipped(command: number): boolean {
  return (command & SKIPPABLE) !== 0 && !isKnown(command);
}

/** Frame flag: acknowledge at once. */
export const FLAG_ACKNOWLEDGE = 0x01;

/** The first bytes of a device. */
export const V2_PREAMBLE: Uint8Array = Uint8Array.of(0x53, 0x41, 0x4c, 0x4c, 0x59, 0x32, 0x0d, 0x0a);
