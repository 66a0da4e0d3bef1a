/**
 * Every bound that this room imposes, by name.
 *
 * @module
 */

/** Work that grows with the fleet is done in slices of this length, in milliseconds. */
export const SLICE_MS = 4;
