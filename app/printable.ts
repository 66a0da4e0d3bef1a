/**
 * Text that others have a part in, made safe for terminals and for scripts that read lines.
 *
 * @module
 */

/**
 * Control characters would steer a terminal or begin a new line, and formatting ones (`U+202E` turns the direction of
 * writing) make a line look like another.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** `text` as one line without anything but what can be seen: the rest is written as in JSON, `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => {
    const units = Array.from({ length: char.length }, (_, at) => char.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/** The same for what may be several lines, with tabs. */
export function printableLines(text: string): string {
  return text.split(/([\n\t])/).map((part, at) => at % 2 === 1 ? part : printable(part)).join("");
}
