/**
 * The exit codes of all binaries; `docs/reference/output.md` has them for users.
 *
 * @module
 */

/** Exit codes, by meaning. */
export const ExitCode = {
  /** An orderly end: help, version, a check that passed, or a signal that ends. */
  OK: 0,
  /** It cannot be done as things are, such as when nobody answers a command; or something unexpected went wrong. */
  FAILURE: 1,
  /** What was said is wrong: the command line, the environment, a file; or a name in it stands for nothing. */
  USAGE: 2,
  /** An address could not be listened on. */
  LISTEN: 3,
  /** The server refused this device for good: a new enrolment string is needed. */
  REFUSED: 4,
  /** The machine is in trouble, not the configuration: a full disk, a folder that can only be read, a lock that is held, no CAN. */
  TROUBLE: 5,
  /** A second SIGTERM or SIGINT cut the orderly end short. */
  INTERRUPTED: 130,
} as const;
