/**
 * The bytes of a socket, whatever its family.
 *
 * @module
 */

import { MSG_NOSIGNAL } from "../kernel/libc.ts";
import { EAGAIN, EINTR, socketError } from "./errno.ts";
import { LATER, Stream } from "./stream.ts";

/** Reads and writes on a connected socket, which it owns; see {@linkcode Stream}. */
export abstract class SocketStream extends Stream {
  /** Its own end is told, or there is nothing that a close could reset for. */
  protected needsNoEnd = false;

  protected attemptRead(into: Uint8Array): number {
    const { calls, fd } = this;
    for (;;) {
      const count = calls.recvNow(fd, into as Uint8Array<ArrayBuffer>, into.length, 0);
      if (count >= 0) {
        if (count === 0) this.needsNoEnd = true;
        if (count < into.length && !this.readsShort) this.drained();
        return count;
      }
      const errno = calls.errno();
      if (errno === EAGAIN) return LATER;
      if (errno !== EINTR) throw socketError(errno);
    }
  }

  protected attemptWrite(bytes: Uint8Array): number {
    const { calls, fd } = this;
    for (;;) {
      const count = calls.sendNow(fd, bytes as Uint8Array<ArrayBuffer>, bytes.length, MSG_NOSIGNAL);
      if (count >= 0) return count;
      const errno = calls.errno();
      if (errno === EAGAIN) return LATER;
      if (errno !== EINTR) throw socketError(errno);
    }
  }
}
