/**
 * Every bound on memory, time and number that this room imposes, by name.
 *
 * @module
 */

/** Bytes of headers and acknowledgements that one read or write of a link comes to, besides those of large ones. */
export const PIECE_BYTES = 78;

/** Bytes that TLS adds to it. */
export const RECORD_BYTES = 22;

/** One in so many bytes of what is carried is spent on further headers, where pieces are larger than packets. */
export const PACKET_PART = 18;

/** Bytes that a link costs before it carries anything: TCP, TLS, and the handshake. */
export const LINK_START_BYTES = 2_100;

/** Bytes that wait for one slow receiver at most; then the link's reading pauses (v1 has no credit). */
export const MAX_CHANNEL_BACKLOG = 1024 * 1024;

/** A paused link reads on when the receiver's backlog has come down to this. */
export const RESUME_CHANNEL_BACKLOG = MAX_CHANNEL_BACKLOG / 2;

/** Bytes that wait for the link before senders wait; every channel can add one more read. */
export const LINK_HIGH_WATER = 256 * 1024;

/** Bytes of control frames after which the link's reading waits until what was sent before is written. */
export const LINK_CONTROL_HIGH_WATER = 64 * 1024;

/** A piece up to this size is copied and lets its owner go on; a larger one is written from where it was read. */
export const COPY_MAX = 4096;

/** Frames up to this size wait for the end of a pass of the engine's loop, in bytes, to leave with others in one write. */
export const JOIN_MAX = 1024;

/** A link that sent more than this since it last heard its peer is loaded: silence then proves nothing for a while. */
export const LOADED_LINK_BYTES = 64 * 1024;

/** That while, in milliseconds from the last byte sent. */
export const LOADED_LINK_GRACE_MS = 60_000;

/** First and largest size of a link's receive chunk; it grows while reads fill it. */
export const MIN_LINK_CHUNK = 16 * 1024;

/** See {@linkcode MIN_LINK_CHUNK}. */
export const MAX_LINK_CHUNK = 256 * 1024;

/** Pieces of one read that are delivered each by itself, and control frames that it is answered with; with more, the next read is smaller. */
export const MAX_PIECES_A_READ = 2_048;

/** Bytes of receive chunks that blocked writes may hold before a link's smaller pieces are copied out of theirs. */
export const MAX_LEFT_CHUNKS = 2 * 1024 * 1024;

/** First and largest size of a connection's read buffer; it grows while reads fill it. */
export const MIN_READ = 1 * 1024;

/** Time between two looks at such a client: whether it has reset its connection, in milliseconds. */
export const HALF_CLOSE_LOOK_MS = 250;

/** The same on a link that carries a half-close, where a client may stay half-closed for as long as it likes. */
export const GONE_LOOK_MS = 5_000;

/** Time without progress after which a receiver whose channel has ended loses what still waits for it. */
export const DRAIN_TIMEOUT_MS = 60_000;

/** Ends of connections that are told at once within {@linkcode ENDS_WINDOW_MS}; others are told in turns of their own. */
export const ENDS_AT_ONCE = 64;

/** See {@linkcode ENDS_AT_ONCE}, in milliseconds. */
export const ENDS_WINDOW_MS = 5;

/** Silence after which a connection that cannot be reset is closed, once it was told an end that nobody meant, in milliseconds. */
export const TOLD_END_LINGER_MS = 500;

/** The same for one that goes on sending: what it sends is lost, and its close says so, as the kernel resets it. */
export const TOLD_END_TIMEOUT_MS = 2_000;

/** Channels of a link that have ended and whose receivers still take what came; beyond, no new ones are opened. */
export const MAX_LEAVING_CHANNELS = 256;

/** First and longest time between two looks whether what a connection was sent has arrived, before it is reset, in milliseconds. */
export const TAKEN_LOOK_MS = 5;

/** See {@linkcode TAKEN_LOOK_MS}. */
export const MAX_TAKEN_LOOK_MS = 160;

/** Longest pause in the reading of a link whose peer makes too much work, in milliseconds; then it is looked at again. */
export const MAX_REST_MS = 100;

/** A timer that comes later than this, in milliseconds, says nothing of the silence of a peer. */
export const LATE_TURN_MS = 500;

/** Frames of a v2 link up to this size are gathered while a write is pending. */
export const GATHER_MAX = 16 * 1024 + 8;

/** Time that a device has to hear why its link ends, in milliseconds; its socket is closed then. */
export const FAREWELL_MS = 500;

/** How often a channel is looked at within its idle time: it ends that much late at most. */
export const IDLE_LOOKS = 4;

/** A goodbye before the server has proved its key cannot send a device away for longer, in milliseconds. */
export const UNPROVED_COME_BACK_MS = 60_000;

/** Longest text that is quoted in a message. */
export const MAX_QUOTED = 80;

/** Buffers of each size that are kept for reuse by the whole process: 4 MiB, 2 MiB and 1 MiB at most. */
export const MAX_POOLED = 64;

/** Size of the buffers in which a single small piece is written. */
export const SMALL_SIZE = 4096;

/** Small buffers kept for reuse by the whole process: 256 KiB at most. */
export const MAX_POOLED_SMALL = 64;

/** A read that takes this long, in milliseconds, and does not fill its chunk has waited for its bytes. */
export const READ_WAIT_MS = 0.05;

/** Size of the buffers in which pieces that wait are gathered, in bytes. */
export const SEGMENT_SIZE = 64 * 1024;

/** The smallest buffer that is made for a piece, in bytes. */
export const MIN_SEGMENT_SIZE = 256;
