/**
 * How large records are, and what is read ahead of them.
 *
 * @module
 */

import { TLS_READ_RECORDS } from "./limits.ts";

/** The most that one record carries, in bytes (RFC 8446 §5.1). */
export const MAX_RECORD = 16_384;

/** What it adds to that: the header, the type and the tag (RFC 8446 §5.2). */
export const RECORD_OVERHEAD = 22;

/** OpenSSL lets the first record begin where what is in it stands well. */
const ALIGNMENT = 8;

/** What one receive may bring, in bytes. */
export const READ_AHEAD = TLS_READ_RECORDS * (MAX_RECORD + RECORD_OVERHEAD) + ALIGNMENT;
