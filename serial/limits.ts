/**
 * Every bound on memory, time and number that this room imposes, by name.
 *
 * @module
 */

/** Lowest speed of a serial line that may be asked for, in bits per second. */
export const MIN_BAUD = 50;
/** Highest speed of a serial line that may be asked for, in bits per second. */
export const MAX_BAUD = 20_000_000;

/** Part of a speed by which the line's own may differ from the one that was asked for. */
export const BAUD_TOLERANCE = 0.03;

/** Bytes that are read from a line at once. */
export const SERIAL_READ_SIZE = 16 * 1024;

/** Bytes from the line that wait for one client; beyond, the line waits if it has flow control, else the oldest go. */
export const MAX_SERIAL_WAITING = 256 * 1024;

/** Bytes that wait to be written to a line; its user waits while there are more. */
export const MAX_SERIAL_OUTPUT = 64 * 1024;

/** Bytes that are written to a line at once. */
export const SERIAL_WRITE_SIZE = 4 * 1024;

/** Bytes of a telnet client that are looked at in one go: each may have an answer. */
export const TELNET_READ_SIZE = 4 * 1024;

/** Bytes of answers that wait for a telnet client; its requests wait while there are more. */
export const MAX_TELNET_ANSWERS = 16 * 1024;

/** Longest subnegotiation of telnet that is looked at, in bytes; longer ones count for nothing. */
export const MAX_SUBNEGOTIATION = 256;

/** Clients that may watch one line. */
export const MAX_SERIAL_WATCHERS = 16;

/** Time between two looks at the modem's lines and the errors of a line, where a client asked for them; in milliseconds. */
export const MODEM_POLL_MS = 100;

/** Length of the break that telnet's own command makes, in milliseconds. */
export const TELNET_BREAK_MS = 250;

/** Time that a line has to send what it was given when its last client has gone, in milliseconds; what is left is dropped. */
export const LINE_DRAIN_MS = 3_000;
/** Time between two looks at how much that is, in milliseconds. */
export const LINE_DRAIN_POLL_MS = 10;

/** Shortest wait for a line that has gone, in milliseconds; it doubles from try to try. */
export const MIN_REPLUG_MS = 100;
/** Longest wait between two such tries, in milliseconds. */
export const MAX_REPLUG_MS = 2_000;

/** Silence of the line after which a client that ended its own side is ended, in milliseconds. */
export const SERIAL_ANSWER_MS = 1_000;

/** Largest lock file of a line that is read, in bytes: anybody may put something there. */
export const MAX_LOCK_FILE = 4_096;
