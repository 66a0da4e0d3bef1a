/**
 * The habits of the original peers that a naive peer can take on or leave, written from the wire's description alone.
 *
 * @module
 */

/** How frames are cut into segments. */
export type Split =
  /** Header and payload in one write. */
  | "whole"
  /** The header, then the payload: as the original device. */
  | "header-apart"
  /** Every byte in a write of its own. */
  | "byte-by-byte";

/** Habits of both roles. */
export interface PeerQuirks {
  /** How frames are cut into segments. */
  readonly split: Split;
  /** Largest payload of a DATA frame. */
  readonly maxData: number;
  /** Whether a CLOSE for an open client is answered with CLOSE. */
  readonly echoClose: boolean;
  /** Whether the payload of a frame that makes no sense is skipped; if not, the link is out of step from there. */
  readonly skipUnknown: boolean;
}

export interface ServerQuirks extends PeerQuirks {
  /** Client ids run 1, 2, … `ids` − 1, 0; an id that is still open is taken by closing the older client. */
  readonly ids: number;
  /** Whether DATA for an id that was never handed out is answered with CLOSE. */
  readonly answersData: boolean;
  /** Whether CLOSE for an id that is not open is answered with CLOSE; if not, it is dropped. */
  readonly answersClose: boolean;
  /** Whether a client that ended its writing side is told of with CLOSE, and yet gets what comes until the device's own. */
  readonly deliversAfterClose: boolean;
  /** Whether a client that leaves at once has its CLOSE sent ahead of its CONNECT. */
  readonly closeBeforeConnect: boolean;
  /** Whether LISTEN has to arrive in one segment. */
  readonly listenInOneSegment: boolean;
  /** Whether a client that speaks has its first DATA sent ahead of its CONNECT. */
  readonly dataBeforeConnect: boolean;
  /** Whether it leaves when the link of its first device ends. */
  readonly oneDevice: boolean;
}

export interface DeviceQuirks extends PeerQuirks {
  /** Whether DATA for an unknown client is answered with CLOSE. */
  readonly closeUnknown: boolean;
  /** Whether LISTEN is cut into four segments. */
  readonly splitListen: boolean;
}

/** The Java server side of the agent. */
export const JAVA_SERVER: ServerQuirks = {
  split: "whole",
  maxData: 8188,
  echoClose: true,
  skipUnknown: false,
  ids: 256,
  answersData: true,
  answersClose: false,
  deliversAfterClose: true,
  closeBeforeConnect: false,
  listenInOneSegment: true,
  dataBeforeConnect: false,
  oneDevice: true,
};

/** The Lua device side of the agent. */
export const LUA_DEVICE: DeviceQuirks = {
  split: "header-apart",
  maxData: 65_535,
  echoClose: true,
  skipUnknown: false,
  closeUnknown: true,
  splitListen: false,
};
