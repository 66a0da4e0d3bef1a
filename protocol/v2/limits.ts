/**
 * Every bound on memory, time and number that this room imposes, by name.
 *
 * @module
 */

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

/** Greatest epoch of a link: the largest whole number but one that a `number` tells from all others. */
export const V2_MAX_EPOCH = 2 ** 53 - 2;

/** By how much more than its own last epoch one may be that a server has seen of a device: 557 years of milliseconds. */
export const V2_MAX_EPOCH_LEAP = 2 ** 44;

/** Largest payload of DATA that this side sends: with its header the frame is four whole records of TLS. */
export const V2_BULK_PAYLOAD = 64 * 1024 - V2_HEADER_SIZE;

/** Largest v2 frame while several channels are busy, on a path that needs longer than that for a larger one. */
export const V2_SHARED_PAYLOAD = 16 * 1024;

/** Milliseconds for which a frame of one channel may be in the way of others, where its path is fast enough for large ones. */
export const V2_IN_THE_WAY_MS = 1;

/** A piece up to this size may go beyond what is let be on the way, if nothing of its channel is unacknowledged. */
export const V2_SPARSE_MAX = 2048;

/** All such pieces together. */
export const V2_OVERDRAFT = 64 * 1024;

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

/** Largest datagram of a service over UDP, in bytes: what IPv4 carries. */
export const MAX_DATAGRAM = 65_507;

/** Milliseconds in which the datagram that came soonest says what the path takes. */
export const LAG_PERIOD_MS = 10_000;

/** Milliseconds by which the path may become slower at once; more may be a cut, and is believed only if it lasts. */
export const LAG_JUMP_MS = 100;

/** Milliseconds for which the least round trip that was seen holds; 100 of it, if that is longer. */
export const LEAST_ROUND_TRIP_MS = 10_000;

/** First receive window of a channel, in bytes, while little is granted on its link. */
export const START_WINDOW = 64 * 1024;

/** Largest receive window of a channel, in bytes. */
export const MAX_WINDOW = 8 * 1024 * 1024;
