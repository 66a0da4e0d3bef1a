/**
 * Every bound on memory, time and number that this room imposes, by name.
 *
 * @module
 */

/** Bytes in front of every v1 frame (seed 003, "Specific protocol"). */
export const V1_HEADER_SIZE = 4;

/** Largest v1 payload: the size field has 16 bits. */
export const V1_MAX_PAYLOAD = 65_535;

/** Channels on one v1 link at most: the client id has 8 bits. */
export const V1_MAX_CHANNELS = 256;

/** Largest CONNECT payload that is looked at: two length bytes, a host of 255 bytes, a port. */
export const V1_MAX_CONNECT_PAYLOAD = 2 + 255 + 2;

/** Bytes that a device holds for one client id whose CONNECT has not come yet. */
export const MAX_EARLY_BYTES = 64 * 1024;

/** Bytes that a device holds for all client ids whose CONNECT has not come yet. */
export const MAX_EARLY_BYTES_PER_LINK = 1024 * 1024;

/** Milliseconds that a device holds such bytes before it answers CLOSE; and a CLOSE whose CONNECT has not come. */
export const EARLY_HOLD_MS = 500;

/** Milliseconds in which a server may answer a CLOSE that a device knocks with, before DATA of size 0 is tried. */
export const KNOCK_ANSWER_MS = 5_000;

/** DATA of size 0 that a device sends to a server which has never answered it. */
export const MAX_UNANSWERED_EMPTY_DATA = 2;

/**
 * Milliseconds that a client id rests after the server closed it and the device has not confirmed with a CLOSE.
 * The original device "usually" confirms; when it does not, its last frames are long through by then.
 */
export const UNCONFIRMED_ID_REST_MS = 30_000;

/**
 * Milliseconds that a client id rests after the device closed it while bytes for it were on their way: the original
 * device answers each of those with one more CLOSE, which must not hit the next client.
 */
export const CROSSED_ID_REST_MS = 2_000;
