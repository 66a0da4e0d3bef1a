/**
 * What is wrong with what a user wrote, with the place.
 *
 * @module
 */

import { MAX_SHOWN_LINE } from "../limits.ts";
import { hideSecrets } from "./hidden_secrets.ts";
import { type Place, textStart } from "./scan.ts";

/** A command line, an environment variable or a file cannot be used; the message is for the user. */
export class ConfigError extends Error {
  /** A message without a place. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConfigError";
  }

  /** A message with file, line and column, and the line itself, without secrets, with a caret under the place. */
  static at(
    file: string,
    source: string,
    place: Place | undefined,
    message: string,
    options?: ErrorOptions,
  ): ConfigError {
    if (!place) return new ConfigError(`${file}: ${message}`, options);
    const { text: line, column } = around(hideSecrets(lineAt(source, place.line)), place.column);
    const gutter = `  ${place.line} | `;
    const caret = " ".repeat(gutter.length + column - 1) + "^";
    const text = `${file}:${place.line}:${place.column}: ${message}\n${gutter}${line}\n${caret}`;
    return new ConfigError(text, options);
  }
}

/** Of a long line, what stands around a column, with dots for the rest; and where the column is in that. */
function around(line: string, column: number): { readonly text: string; readonly column: number } {
  const from = column <= MAX_SHOWN_LINE ? 0 : column - MAX_SHOWN_LINE / 2;
  const [before, after] = [from > 0 ? "…" : "", line.length > from + MAX_SHOWN_LINE ? "…" : ""];
  const text = `${before}${line.slice(from, from + MAX_SHOWN_LINE).toWellFormed()}${after}`;
  return { text, column: column - from + before.length };
}

/** A line of a text, by its number from 1, without its end; the text may have a hundred thousand of them. */
export function lineAt(source: string, number: number): string {
  let start = textStart(source);
  for (let line = 1; line < number; line++) {
    start = source.indexOf("\n", start) + 1;
    if (start === 0) return "";
  }
  const end = source.indexOf("\n", start);
  return source.slice(start, end < 0 ? source.length : end).replace(/\r$/, "");
}
