/**
 * Every bound that the native engine imposes, by name.
 *
 * @module
 */

/** Microseconds for which a busy loop waits for the kernel itself, at most; the runtime's own events wait as long. */
export const TURN_US = 5_000;

/** Microseconds for which one does to which little comes: what comes may be answered by the runtime's own events. */
export const SHORT_TURN_US = 500;

/** A turn is busy, and the next one longer, if a pass with something to do came every so many microseconds. */
export const BUSY_PASS_US = 500;

/** Looks in a row, {@linkcode STUCK_POLL_MS} apart, after which what a doorbell waits for does not come any more. */
export const DOORBELL_LATE_LOOKS = 4;

/** A byte of a doorbell's that takes longer is slow, in milliseconds: whoever slows loopback down. */
export const DOORBELL_SLOW_MS = 20;

/** Slow ones in a row after which timers serve in its place. */
export const DOORBELL_SLOW_RINGS = 8;

/** Milliseconds until it is tried again. */
export const DOORBELL_RETRY_MS = 60_000;

/** Strangers that are turned away while it waits for its own connection. */
export const DOORBELL_STRANGERS = 8;

/** Events that are taken from the kernel at once: then promises run, and the clock is looked at. */
export const EVENTS_PER_WAIT = 8;

/** Events of one pass. */
export const EVENTS_PER_PASS = 256;

/** Sockets that go on in one pass, of those that had their part of the one before. */
export const AGAIN_PER_PASS = 256;

/** Milliseconds after which a turn ends amid a pass, as others have waited long enough. */
export const FULL_TURN_MS = 8;

/** Milliseconds between two looks at the kernel while all threads of the runtime are busy with other things. */
export const STUCK_POLL_MS = 250;

/** Bytes that one socket reads in a pass without a pause: then others have their turn. */
export const READ_PER_PASS = 256 * 1024;

/** Servers for whose proof the means are kept ready. */
export const ENDS_KEPT = 8;

/** Connections that one listening socket hands over in a pass. */
export const ACCEPTS_PER_PASS = 32;

/** Milliseconds of a pass after which it hands over no more, as what follows on each may take long. */
export const ACCEPTS_MS = 2;

/** Datagrams that one socket hands over in a pass. */
export const DATAGRAMS_PER_PASS = 64;

/** Bytes of datagrams that the kernel is asked to keep for a socket; it has a bound of its own (`net.core.rmem_max`). */
export const DATAGRAM_BUFFER = 1024 * 1024;

/** Connections that may wait to be accepted (the kernel's own bound, `net.core.somaxconn`, may be lower). */
export const LISTEN_BACKLOG = 4_096;

/** Bytes that nobody reads any more and are read before a TLS connection is closed, so that the close is no reset. */
export const MAX_UNREAD_DROPPED = 64 * 1024;

/** Lines of a program's terminal, as long as nobody says otherwise. */
export const ROWS = 24;

/** Characters in one of them. */
export const COLUMNS = 80;
