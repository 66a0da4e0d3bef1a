/**
 * A logger that keeps what it is told.
 *
 * @module
 */

import type { LogFields, Logger } from "../../base/logger.ts";

/** Keeps log lines; see {@linkcode Logger}. */
export class RecordingLogger implements Logger {
  /** All lines, as `level message {facts}`. */
  readonly lines: string[] = [];
  /** Lines from `info` up as `level: message`, the facts put in. */
  readonly said: string[] = [];

  debug(message: string, fields?: LogFields): void {
    this.#keep("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#keep("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#keep("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#keep("error", message, fields);
  }

  /** Those of {@linkcode RecordingLogger.said} that match. */
  matching(pattern: RegExp): string[] {
    return this.said.filter((line) => pattern.test(line));
  }

  #keep(level: string, message: string, fields?: LogFields): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    if (level === "debug") return;
    this.said.push(`${level}: ${message.replace(/\{(\w+)\}/g, (_, name) => String(fields?.[name]))}`);
  }
}
