/**
 * Every bound on memory and number that the binding of OpenSSL imposes, by name.
 *
 * @module
 */

/**
 * Full records that one receive may bring ahead: 128 KiB, which OpenSSL holds only while there is something in them. Of a
 * room that ends amid a record, that record is moved each time, and waits for a receive of its own.
 */
export const TLS_READ_RECORDS = 8;

/** Full records that are encrypted for one send. */
export const TLS_SEND_RECORDS = 7;

/** Sessions of a thread whose encrypted bytes may wait for their socket in rings; others wait with a record each. */
export const MAX_TLS_RINGS = 64;

/** Rings that are kept for the next one who needs one. */
export const MAX_SPARE_TLS_RINGS = 2;

/** Records under one key, a third of what AES-GCM bears (RFC 8446 §5.5); then this side's key is changed. */
export const TLS_KEY_RECORDS = 8_388_608;
