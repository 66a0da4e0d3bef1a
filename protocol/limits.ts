/**
 * Every bound that the wire or its state machines impose, by name.
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

/** The part of its keep-alive times for which the server leaves the first probe to the device. */
export const YIELD_PART = 0.2;

/** Milliseconds from the start of a link to its first keep-alive probe at the latest. */
export const FIRST_PROBE_MS = 5_000;

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

/** Bytes in front of every v2 frame. */
export const V2_HEADER_SIZE = 8;

/** Largest v2 payload: the size field has 16 bits. */
export const V2_MAX_PAYLOAD = 65_535;

/** Largest payload of a v2 frame other than DATA that is taken; the largest, LISTEN, needs 256 × 270 bytes at most. */
export const V2_MAX_CONTROL_PAYLOAD = 65_535;

/** Channels on one v2 link at most. */
export const V2_MAX_CHANNELS = 65_536;

/** Services of one device at most. */
export const V2_MAX_SERVICES = 256;

/** Longest name of a service or a device, in bytes. */
export const V2_MAX_NAME = 63;

/** Longest text for people in a v2 frame, in bytes. */
export const V2_MAX_TEXT = 200;

/** Bytes that a server may send on a v2 channel before its RESULT. */
export const V2_EARLY_CREDIT = 16 * 1024;

/** Credit that one side of a v2 channel may have at once, unused, in bytes. */
export const V2_MAX_CREDIT = 0xffff_ffff;

/** Bytes that either side of a v2 handshake takes from the other before WELCOME. */
export const V2_MAX_HANDSHAKE = 4096;

/** Largest payload of DATA that this side sends: with its header the frame is four whole records of TLS. */
export const V2_BULK_PAYLOAD = 64 * 1024 - V2_HEADER_SIZE;

/** Largest v2 frame while several channels are busy. */
export const V2_SHARED_PAYLOAD = 16 * 1024;

/** A piece up to this size may go beyond what is let be on the way, if nothing of its channel is unacknowledged. */
export const V2_SPARSE_MAX = 2048;

/** All such pieces together. */
export const V2_OVERDRAFT = 64 * 1024;

/** Server addresses in an enrolment string at most. */
export const MAX_ENROLMENT_ADDRESSES = 4;

/** Longest enrolment string that is looked at, in characters. */
export const MAX_ENROLMENT_LENGTH = 2048;

/** Bytes that may be unacknowledged on a v2 link, however slow it is. */
export const MIN_ON_THE_WAY = 16 * 1024;

/** The same before anything is known of the path. */
export const START_ON_THE_WAY = 64 * 1024;

/** The same, however fast and long the path is. */
export const MAX_ON_THE_WAY = 16 * 1024 * 1024;

/** The same, while the least round trip is looked for. */
export const PROBE_ON_THE_WAY = 2048;

/** Bytes of the buffers in which frames are read, and kept until they are acknowledged. */
export const FRAME_BUFFER_SIZE = 64 * 1024;

/** Such buffers that are kept for reuse by the whole process: 32 MiB at most. */
export const MAX_POOLED_FRAMES = 512;

/** Frames of at least this size are kept where they were read; smaller ones are copied together. */
export const KEEP_WHOLE = 32 * 1024;

/** The buffer of a session that keeps little, in bytes. */
export const SMALL_LOG_SIZE = 4096;

/** Bytes that all sessions of a process keep for replay; a half of it is divided evenly, see `shared_bound.ts`. */
export const PROCESS_LOG_BOUND = 256 * 1024 * 1024;

/** As many members at least are counted when a bound is divided among those who share it. */
export const FEWEST_SHARES = 32;

/** Control frames, in bytes, that a peer may leave unacknowledged; with more it is ended. */
export const MAX_KEPT_CONTROL = 4 * 1024 * 1024;

/** The same when the sessions of the process keep as much as they may, if the session's share is not more. */
export const MIN_KEPT_CONTROL = 256 * 1024;

/** Milliseconds without progress after which a peer that was asked to acknowledge, and sends, is asked by a PING. */
export const ACK_PROBE_MS = 10_000;

/** Milliseconds without progress after which the link of such a peer is lost. */
export const ACK_TIMEOUT_MS = 60_000;

/** Control frames of a link, known or skipped, that are worth a millisecond, once it has sent {@linkcode FRAME_LOAD_BURST}; see `frame_load.ts`. */
export const FRAME_LOAD_PER_MS = 100;

/** Control frames that a link may send at once. */
export const FRAME_LOAD_BURST = 100_000;

/** Milliseconds that two round trips are lengthened by, for the turns of event loops. */
export const ON_THE_WAY_SLACK_MS = 5;

/** Milliseconds for which the least round trip that was seen holds; 100 of it, if that is longer. */
export const LEAST_ROUND_TRIP_MS = 10_000;

/** First receive window of a channel, in bytes, while little is granted on its link. */
export const START_WINDOW = 64 * 1024;

/** Largest receive window of a channel, in bytes. */
export const MAX_WINDOW = 8 * 1024 * 1024;
