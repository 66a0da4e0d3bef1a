/**
 * Bounds of history, by name.
 *
 * @module
 */

/** Milliseconds of which history is kept. */
export const HISTORY_MS = 24 * 3600_000;

/** Milliseconds from point to point of the whole server. */
export const HISTORY_STEP_MS = 60_000;

/** Milliseconds from point to point of a device. */
export const DEVICE_STEP_MS = 600_000;

/** Milliseconds between two writings of history. */
export const HISTORY_WRITE_MS = 300_000;

/** Devices of which history is kept; for more, those seen most recently. */
export const MAX_HISTORY_DEVICES = 2_048;

/** The same, where it is in memory. */
export const MAX_DEVICES_IN_MEMORY = 256;

/** Bytes of the file with history. */
export const MAX_HISTORY_BYTES = 32 * 1024 * 1024;

/** Milliseconds for which the losses of a device's links are counted. */
export const LOSSES_MS = 3600_000;

/** Losses of one device that are counted at most. */
export const MAX_LOSSES_COUNTED = 99;

/** Devices whose losses are counted: those that lost a link most recently. */
export const MAX_LOSING_DEVICES = 4_096;
