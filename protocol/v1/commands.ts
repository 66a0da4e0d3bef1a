/**
 * The commands of wire profile v1 (seed 003, "Specific protocol").
 *
 * @module
 */

/** Command numbers, the third byte of a v1 frame. */
export const V1Command = {
  /** server → device: reach a service for a client. */
  CONNECT: 1,
  /** both ways: a client's channel ended. */
  CLOSE: 2,
  /** both ways: bytes of a client's channel. */
  DATA: 3,
  /** device → server: the first frame of a link. */
  LISTEN: 4,
} as const;
