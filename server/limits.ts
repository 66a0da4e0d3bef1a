/**
 * Bounds that this room imposes, by name.
 *
 * @module
 */

/** Connections that have not proved anything yet may have one descriptor in so many, at all listeners for devices together. */
export const DOOR_PART = 4;

/** The fewest of them at one listener, however few descriptors there are: in their handshake, and before it. */
export const MIN_AT_DOOR = 4;

/** Of those in their handshake, one address may have one in so many under way, where they are few. */
export const UNDER_WAY_PART = 4;

/** Descriptors that a connection has at the door whose load balancer speaks first: its own, and a hop to TLS. */
export const DESCRIPTORS_A_HOP = 3;

/** Connections that make room at once when descriptors have run out, in their handshake and before it. */
export const EVICTIONS_AT_ONCE = 16;
