/**
 * Every bound on memory and number that the binding of OpenSSL imposes, by name.
 *
 * @module
 */

/** What one receive may bring ahead, in bytes; OpenSSL holds it only while there is something in it. */
export const TLS_READ_AHEAD = 64 * 1024;

/** Full records that are encrypted for one send. */
export const TLS_SEND_RECORDS = 7;

/** Sessions of a thread whose encrypted bytes may wait for their socket in rings; others wait with a record each. */
export const MAX_TLS_RINGS = 64;

/** Rings that are kept for the next one who needs one. */
export const MAX_SPARE_TLS_RINGS = 2;

/** Records under one key, a third of what AES-GCM bears (RFC 8446 §5.5); then this side's key is changed. */
export const TLS_KEY_RECORDS = 8_388_608;
