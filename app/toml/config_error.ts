/**
 * What is wrong with what a user wrote, with the place.
 *
 * @module
 */

import { type Place, textStart } from "./scan.ts";

/** A command line, an environment variable or a file cannot be used; the message is for the user. */
export class ConfigError extends Error {
  /** A message without a place. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConfigError";
  }

  /** A message with file, line and column, and the line itself with a caret under the place. */
  static at(
    file: string,
    source: string,
    place: Place | undefined,
    message: string,
    options?: ErrorOptions,
  ): ConfigError {
    if (!place) return new ConfigError(`${file}: ${message}`, options);
    const line = lineAt(source, place.line);
    const gutter = `  ${place.line} | `;
    const caret = " ".repeat(gutter.length + place.column - 1) + "^";
    const text = `${file}:${place.line}:${place.column}: ${message}\n${gutter}${line}\n${caret}`;
    return new ConfigError(text, options);
  }
}

/** A line of a text, by its number from 1, without its end; the text may have a hundred thousand of them. */
function lineAt(source: string, number: number): string {
  let start = textStart(source);
  for (let line = 1; line < number; line++) {
    start = source.indexOf("\n", start) + 1;
    if (start === 0) return "";
  }
  const end = source.indexOf("\n", start);
  return source.slice(start, end < 0 ? source.length : end).replace(/\r$/, "");
}
