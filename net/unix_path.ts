/**
 * Where a Unix socket is: a path of the file system, or with `@` in front a name that Linux keeps apart from it.
 *
 * @module
 */

import { MAX_UNIX_PATH } from "./limits.ts";

/**
 * Reads what stands behind `unix:`.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function parseUnixPath(text: string): string {
  const size = new TextEncoder().encode(text).length;
  if (/\p{Cc}/u.test(text)) throw new SyntaxError("a Unix socket's path has no control characters in it");
  if (text.startsWith("//")) throw new SyntaxError(`"unix:${text}" is a URL; write unix:${text.replace(/^\/+/, "/")}`);
  if (!/^(?:\/.*[^/]|@.+)$/s.test(text)) {
    throw new SyntaxError(
      `"unix:${text}" is no Unix socket; write its whole path, as in unix:/run/docker.sock, or unix:@NAME for an abstract one`,
    );
  }
  if (size > MAX_UNIX_PATH) {
    throw new SyntaxError(`"unix:${text}" is too long: ${size} bytes, and ${MAX_UNIX_PATH} are the most`);
  }
  return text;
}
