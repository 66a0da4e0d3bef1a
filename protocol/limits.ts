/**
 * Every bound that the wire or its state machines impose, by name.
 *
 * @module
 */

/** The part of its keep-alive times for which the server leaves the first probe to the device. */
export const YIELD_PART = 0.2;

/** Milliseconds from the start of a link to its first keep-alive probe at the latest. */
export const FIRST_PROBE_MS = 5_000;

/** Milliseconds for which a session that has resumed is watched as if somebody waited. */
export const RESUMED_WATCH_MS = 15_000;

/** Longest time for which somebody may be said to wait at once, in milliseconds. */
export const MAX_ATTENTION_MS = 3_600_000;

/** Server addresses in an enrolment string at most. */
export const MAX_ENROLMENT_ADDRESSES = 4;

/** Longest enrolment string that is looked at, in characters. */
export const MAX_ENROLMENT_LENGTH = 2048;

/** Bytes that all sessions of a process keep for replay; a half of it is divided evenly, see `shared_bound.ts`. */
export const PROCESS_LOG_BOUND = 256 * 1024 * 1024;

/** Bytes that {@linkcode detectOpening} looks at, at most. */
export const MAX_OPENING = 8;

/** Longest host that an address may carry, in bytes (RFC 1035 §2.3.4). */
export const MAX_HOST_LENGTH = 255;

/** Longest time in keep-alive settings, in milliseconds (seed 002). */
export const MAX_KEEP_ALIVE_MS = 32_767_000;

/** Most probes in keep-alive settings (seed 002). */
export const MAX_PROBES = 127;
