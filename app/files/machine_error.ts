/**
 * Trouble of the machine: a full disk is nobody's mistake, and may be over at the next try.
 *
 * @module
 */

import { errorCode } from "../../base/errors.ts";
import { ConfigError } from "../toml/config_error.ts";

/** The machine cannot do now what was asked for; nothing that the user wrote is wrong. The message is for the user. */
export class MachineError extends Error {
  /** With what would do. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MachineError";
  }
}

/** What the system says when it is in trouble itself. */
const TROUBLE = new Set([
  "ENOSPC",
  "EDQUOT",
  "EROFS",
  "EIO",
  "EBUSY",
  "ENOMEM",
  "EMFILE",
  "ENFILE",
  "ESTALE",
  "ETIMEDOUT",
  "EAGAIN",
  "EFBIG",
  "ENODEV",
  "ENOTCONN",
  "EREMOTEIO",
]);

/** Whether an error is trouble of the machine, of ours or as the system throws it. */
export function isTrouble(error: unknown): boolean {
  return error instanceof MachineError || TROUBLE.has(errorCode(error) ?? "");
}

/** Whether an error has a message for the user, who is told nothing else. */
export function isForUser(error: unknown): error is ConfigError | MachineError {
  return error instanceof ConfigError || error instanceof MachineError;
}
