/**
 * The first byte that a peer sends says whether it speaks TLS at all; OpenSSL would say less, and of few of them nothing.
 *
 * @module
 */

import { describeStranger } from "../../protocol/detect.ts";
import { endOfFile, socketError, TlsError } from "./errors.ts";
import { MSG_NOSIGNAL, type OpenSsl } from "./library.ts";

/** Types of records that a peer may begin with (RFC 8446 §5.1). */
const ALERT = 0x15;
const HANDSHAKE = 0x16;

/** A fatal alert, decode_error: it tells whoever does not speak TLS that it is spoken here. A buffer of its own never moves. */
const REFUSAL = new Uint8Array(new ArrayBuffer(7));
REFUSAL.set([ALERT, 3, 3, 0, 2, 2, 50]);

const MSG_PEEK = 2;
const EINTR = 4;
const EAGAIN = 11;

/** What is looked at; it is nobody's between two calls. */
const opening = new Uint8Array(64);

/**
 * Looks at what a peer begins with, and leaves it where it is.
 *
 * @returns whether it has sent anything; then it may be TLS.
 * @throws {TlsError} if it is not, with what it is; or if the peer has gone.
 */
export function hasOpened({ libc, errno }: OpenSsl, fd: number, isServer: boolean): boolean {
  for (;;) {
    const size = libc.recv(fd, opening, opening.length, MSG_PEEK);
    if (size < 0) {
      const number = errno.getInt32();
      if (number === EINTR) continue;
      if (number === EAGAIN) return false;
      throw socketError(number);
    }
    if (size === 0) throw endOfFile(true);
    const first = opening[0];
    if (first === HANDSHAKE || first === ALERT && !isServer) return true;
    const { speaks, what } = describeStranger(opening.subarray(0, size));
    if (isServer) libc.send(fd, Deno.UnsafePointer.of(REFUSAL), REFUSAL.length, MSG_NOSIGNAL);
    throw new TlsError(`the peer does not speak TLS: it began with ${what}`, "not-tls", { speaks });
  }
}
