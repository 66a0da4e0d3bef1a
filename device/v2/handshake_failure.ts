/**
 * What a device says of a handshake that did not come to its end.
 *
 * @module
 */

import { HANDSHAKE_TIMEOUT_MS } from "../../net/limits.ts";
import { HandshakeCut } from "../../relay/handshake.ts";
import { Late } from "../../base/within.ts";

const SPEAKS_TLS = "it speaks TLS, and this device is told --plain: leave that out, or give it to the server";
const SPEAKS_OTHERWISE = "is it for profile v1, or too busy, or no Sallyport server?";

/** `error`, or one that says more to people. */
export function handshakeFailure(error: unknown): unknown {
  if (error instanceof Late) {
    return new Error(`the server did not finish the handshake within ${HANDSHAKE_TIMEOUT_MS / 1000} s`);
  }
  if (!(error instanceof HandshakeCut)) return error;
  return new Error(`the server hung up during the handshake; ${error.speaksTls ? SPEAKS_TLS : SPEAKS_OTHERWISE}`);
}
