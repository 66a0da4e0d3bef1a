/**
 * Every bound that this room imposes, by name.
 *
 * @module
 */

/** Work that grows with the fleet is done in slices of this length, in milliseconds. */
export const SLICE_MS = 4;

/** Timers that go off before the clock is asked whether that took a slice. */
export const TIMERS_PER_LOOK = 16;

/** Milliseconds after which the one timer of the runtime goes off at the latest: a longer wait would end at once there. */
export const MAX_ALARM_MS = 2_147_483_647;

/** Shortest wait between two tries, in milliseconds. */
export const MIN_BACKOFF_MS = 500;

/** Longest wait between two tries, in milliseconds. */
export const MAX_BACKOFF_MS = 30_000;

/** Time that a graceful end may take, in milliseconds. */
export const SHUTDOWN_TIMEOUT_MS = 5_000;

/** Longest duration, in milliseconds: what a timer of the runtime can hold with room to spare. */
export const MAX_DURATION_MS = 7 * 24 * 3600_000;
