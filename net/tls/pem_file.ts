/**
 * Files of certificates and keys, as somebody put them there: while a server runs they are read again.
 *
 * @module
 */

import { MAX_PEM_FILE } from "../limits.ts";
import { readNow } from "../kernel/native_file.ts";

/**
 * Reads a file in PEM, without waiting for anybody.
 *
 * @throws {Error} if it cannot be read, is no file, is larger than {@linkcode MAX_PEM_FILE}, or is no text in UTF-8.
 */
export function readPemFile(file: string): string {
  const text = readNow(file, MAX_PEM_FILE).replace(/^\uFEFF/, ""); // of some editors, and no part of it
  if (text.includes("\0")) throw new Error("it is no text in UTF-8; if it is one in UTF-16, save it as UTF-8");
  return text;
}
