/**
 * Bounds of who is let to the handshake, by name.
 *
 * @module
 */

/** Connections that have not proved anything yet may have one descriptor in so many, at all listeners for devices together. */
export const DOOR_PART = 4;

/** The fewest of them at one listener, however few descriptors there are: in their handshake, and before it. */
export const MIN_AT_DOOR = 4;

/** Of those in their handshake, one address may have one in so many under way, where they are few. */
export const UNDER_WAY_PART = 4;

/** Connections that make room at once when descriptors have run out, in their handshake and before it. */
export const EVICTIONS_AT_ONCE = 16;

/** Connections of one v1 listener that may be on their way to a LISTEN; see `server/door/pending_connections.ts` for who makes room. */
export const MAX_PENDING_LINKS = 512;

/** Time for which an address is remembered from which a device proved its key, in milliseconds. */
export const PROVED_ADDRESS_MS = 600_000;

/** Such addresses at most. */
export const MAX_PROVED_ADDRESSES = 4_096;

/** Connections from such an address that weigh as much as one from any other, when somebody has to make room. */
export const PROVED_ADDRESS_WEIGHT = 4;

/** Connections of one v2 listener that may wait for the beginning of their handshake. */
export const MAX_WAITING_HANDSHAKES = 2_048;

/** Handshakes that begin in one turn of the event loop; each costs about a millisecond of work in all. */
export const HANDSHAKES_A_TURN = 4;

/** Handshakes from one address, or one /56 of IPv6, that are under way at a time; the others wait for their beginning. */
export const MAX_HANDSHAKES_UNDER_WAY = 128;

/** One that takes longer than this, in milliseconds, does not count any more: it waits for its peer, and others need not. */
export const MIN_HANDSHAKE_TURN_MS = 500;

/** The same when handshakes that went well took long lately: then there is much to do. */
export const MAX_HANDSHAKE_TURN_MS = 2_000;

/** The same from an address whose handshakes fail one and all: those who are silent hold up few. */
export const STRANGER_TURN_MS = 50;

/** A wait for the beginning of a handshake, in milliseconds, from which those who came last have every other turn. */
export const LONG_HANDSHAKE_WAIT_MS = 1_000;

/** Links that one device may make in a row, however fast. */
export const LINK_BURST = 60;

/** Milliseconds after which a device that used them up may make one more. */
export const LINK_INTERVAL_MS = 1_000;

/** Devices that are remembered at most; who has not come for longest is forgotten first. */
export const MAX_RATED_DEVICES = 4_096;

/** Addresses, or /56 of IPv6, whose devices look for a server with another key, of which it is remembered that they were told of. */
export const MAX_LOOKING_SITES = 1_024;
