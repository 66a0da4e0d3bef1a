/**
 * Every bound on memory, time and number that this room imposes, by name.
 *
 * @module
 */

/** Milliseconds that `join --once` tries to reach the server. */
export const ONCE_TIMEOUT_MS = 30_000;

/** Milliseconds that it waits then until the server has said which services it grants. */
export const ONCE_ANSWER_MS = 5_000;

/** Longest line that is read from stdin, in bytes. */
export const MAX_STDIN_LINE = 4_096;

/** A link that lived this long, or carried a client, starts the backoff over; in milliseconds. */
export const LASTING_LINK_MS = 10_000;

/** A v1 server says nothing when it refuses a device; it just hangs up, within this many milliseconds. */
export const QUICK_LINK_MS = 1_500;

/** When an outage is told of again, in milliseconds from its first failed try; then once in each {@linkcode OUTAGE_EVERY_MS}. */
export const OUTAGE_TOLD_MS: readonly number[] = [15_000, 60_000, 300_000, 900_000];

/** See {@linkcode OUTAGE_TOLD_MS}. */
export const OUTAGE_EVERY_MS = 3_600_000;

/** Reasons of one outage that are told, each once; whoever answers in a server's place may invent any number. */
export const MAX_OUTAGE_REASONS = 8;

/** A server that sends a device away cannot do so for longer, in milliseconds. */
export const MAX_COME_BACK_MS = 3_600_000;

/** Longest wait before the first try to resume a session, in milliseconds; it doubles from try to try. */
export const RESUME_PAUSE_MS = 100;

/** Longest wait between two tries to resume, in milliseconds. */
export const MAX_RESUME_PAUSE_MS = 1_000;

/** Bytes of TCP in a packet for links after them: for paths that carry 1,280 bytes, and 576 if that was not enough. */
export const SMALL_SEGMENT = 1_160;

/** See {@linkcode SMALL_SEGMENT}. */
export const SMALLEST_SEGMENT = 516;

/** Milliseconds for which a device's links keep to them, before it tries what is usual again. */
export const SMALL_SEGMENT_MS = 600_000;

/** Default of the time for reaching a service, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** Time for dialling the server, in milliseconds. */
export const DIAL_TIMEOUT_MS = 10_000;

/** The same while a session waits for another link, in milliseconds. */
export const RESUME_DIAL_TIMEOUT_MS = 4_000;

/** Milliseconds between two looks at a service whose host port is closed while it is down. */
export const WATCH_INTERVAL_MS = 2_000;

/** Milliseconds that such a look may take. */
export const WATCH_TIMEOUT_MS = 2_000;

/** Default of the clients of a service that is a program for each. */
export const EXEC_MAX_CLIENTS = 16;

/** Milliseconds from the hang-up of a client's program (SIGHUP) to its termination (SIGTERM), if it still runs. */
export const EXEC_HANG_UP_MS = 5_000;

/** Milliseconds from that to its kill (SIGKILL). */
export const EXEC_TERMINATE_MS = 5_000;

/** Milliseconds from its termination to its kill where the device itself ends. */
export const EXEC_LAST_MS = 1_000;

/** Milliseconds that what a program has started may write on when it has ended itself. */
export const EXEC_DRAIN_MS = 1_000;

/** Lines of a program's standard error that are logged for one client. */
export const EXEC_LOG_LINES = 100;

/** Longest such line, in characters; the rest of it is left out. */
export const EXEC_LOG_LINE = 500;

/** Milliseconds between two readings of a standard error of which nothing is logged any more. */
export const EXEC_FLOOD_PAUSE_MS = 10;

/** Bytes that may wait each way between a client's channel and a service within the process. */
export const PAIR_BUFFER = 65_536;

/** Events that a device keeps for those who ask later. */
export const MAX_DEVICE_EVENTS = 512;

/** Milliseconds that `device doctor` waits for one address, a proxy, or an uplink: others may answer. */
export const DOCTOR_FAMILY_MS = 3_000;

/** Milliseconds that `device doctor` waits for an answer. */
export const DOCTOR_DIAL_MS = 5_000;

/** Milliseconds by which clocks may differ before `device doctor` warns. */
export const FAR_CLOCK_MS = 60_000;
