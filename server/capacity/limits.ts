/**
 * Bounds of what limits a whole server, by name.
 *
 * @module
 */

/** The most that a limit of a whole server can be set to: of devices, links and sockets. */
export const MAX_SERVER_LIMIT = 10_000_000;

/** Milliseconds between two looks at how much memory the process has, while newcomers ask. */
export const MEMORY_LOOK_MS = 500;

/** Newcomers whom a limit of the whole server refuses are told of at once, and then all together once in this time. */
export const LIMIT_TOLD_MS = 60_000;

/** A device that such a limit refuses is asked to come back after this, in milliseconds. */
export const LIMIT_COME_BACK_MS = 30_000;
