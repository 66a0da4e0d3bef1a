/**
 * A descriptor of the kernel's that is no socket, such as a serial line's, as bytes both ways.
 *
 * @module
 */

import { type Calls, libc } from "../kernel/libc.ts";
import { EAGAIN, EINTR, socketError } from "./errno.ts";
import type { EventLoop } from "./event_loop.ts";
import { LATER, Stream } from "./stream.ts";

/** Over one that does not block, which it owns from then on; see {@linkcode Stream}. */
export class DescriptorStream extends Stream {
  readonly #io: Pick<Calls, "read" | "write"> = libc()!;

  /** @throws If the kernel cannot watch it; it is closed then. */
  constructor(loop: EventLoop, fd: number) {
    super(loop, fd);
  }

  // There may be more behind a short read: only the kernel's word for it counts.
  protected attemptRead(into: Uint8Array): number {
    for (;;) {
      const count = Number(this.#io.read(this.fd, into as Uint8Array<ArrayBuffer>, BigInt(into.length)));
      if (count >= 0) return count;
      if (this.#mustWait()) return LATER;
    }
  }

  protected attemptWrite(bytes: Uint8Array): number {
    for (;;) {
      const count = Number(this.#io.write(this.fd, bytes as Uint8Array<ArrayBuffer>, BigInt(bytes.length)));
      if (count > 0 || bytes.length === 0) return count;
      if (count === 0 || this.#mustWait()) return LATER;
    }
  }

  /** Whether the call has to wait; otherwise it may be made again. @throws What it failed with. */
  #mustWait(): boolean {
    const errno = this.calls.errno();
    if (errno !== EAGAIN && errno !== EINTR) throw socketError(errno);
    return errno === EAGAIN;
  }

  /** There is no end of one way. */
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.release();
  }
}
