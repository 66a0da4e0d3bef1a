/**
 * How a receiver knows that an event is from here, and new.
 *
 * @module
 */

import { createHmac } from "node:crypto";

/**
 * The header `sallyport-signature`: `t=SECONDS,v1=HEX`. The second is the HMAC-SHA256, by the secret, of the first, a dot and
 * the body. A receiver makes the same, compares, and refuses what is too old.
 *
 * @param seconds When it is sent, in seconds since 1970.
 */
export function signatureOf(secret: string, seconds: number, body: string): string {
  const digest = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return `t=${seconds},v1=${digest}`;
}
