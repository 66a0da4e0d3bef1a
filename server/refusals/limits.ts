/**
 * Bounds of what is kept of those who were turned away, by name.
 *
 * @module
 */

/** Entries of refusals for one reason that are kept, of those who are alike one; the others are counted together. */
export const MAX_REFUSALS_OF_A_REASON = 64;

/** The same from one address, or one /56 of IPv6: with ever new keys it does not push out those of others. */
export const MAX_REFUSALS_OF_A_SITE = 8;
