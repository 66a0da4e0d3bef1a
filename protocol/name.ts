/**
 * Names of devices and services.
 *
 * @module
 */

import { V2_MAX_NAME } from "./v2/limits.ts";

/**
 * Parses the name of a device or a service.
 *
 * @throws {SyntaxError} if it is empty, too long, or has other characters.
 */
export function parseName(text: string): string {
  if (isName(text)) return text;
  throw new SyntaxError(`"${text}" is not a name; write 1 to ${V2_MAX_NAME} of a-z A-Z 0-9 . _ -`);
}

/** Whether a text is such a name. */
export function isName(text: string): boolean {
  return text.length <= V2_MAX_NAME && /^[A-Za-z0-9._-]+$/.test(text);
}
