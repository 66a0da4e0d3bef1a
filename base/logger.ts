/**
 * The logger that daemons are given. A LogTape logger is one as it is.
 *
 * @module
 */

/** Facts of a log line, by name. */
export type LogFields = Record<string, unknown>;

/** Takes one line with its facts. `{name}` in the message stands for the fact of that name. */
export interface Logger {
  /** For whoever looks for a fault. */
  debug(message: string, fields?: LogFields): void;
  /** What a user wants to see: links and clients that come and go. */
  info(message: string, fields?: LogFields): void;
  /** Something that should not be, and that the relay copes with. */
  warn(message: string, fields?: LogFields): void;
  /** Something that needs somebody to act. */
  error(message: string, fields?: LogFields): void;
}

const nothing = (): void => {};

/** A logger that says nothing: the default of the library. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
