/**
 * Serial lines, and terminals (pty(7)) for programs.
 *
 * @module
 */

import { errorCode } from "../../../base/errors.ts";
import { type Calls, CLOEXEC, IS_LITTLE_ENDIAN, libc, NONBLOCK } from "../../kernel/libc.ts";
import { COLUMNS, ROWS } from "../limits.ts";
import type { Terminal } from "../../socket.ts";
import { EAGAIN, EINTR, socketError } from "../../kernel/errno.ts";
import type { EventLoop } from "../event_loop.ts";
import { LATER, Stream } from "../stream.ts";

const MULTIPLEXER = new TextEncoder().encode("/dev/ptmx\0");
const O_RDWR = 2;
const O_NOCTTY = 0o400;
const TIOCSPTLCK = 0x40045431n;
const TIOCGPTN = 0x80045430n;
const TIOCSWINSZ = 0x5414n;

/** What ends a line's input where the program has left the terminal as it is. */
const END_OF_INPUT = Uint8Array.of(4);

/** A terminal or a serial line as bytes both ways, over a descriptor that does not block; see {@linkcode Stream}. */
export class LineStream extends Stream {
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

/** A terminal's side that faces whoever sits at it. */
class TerminalStream extends LineStream {
  protected override attemptRead(into: Uint8Array): number {
    try {
      return super.attemptRead(into);
    } catch (error) {
      if (errorCode(error) === "EIO") return 0; // no program has it open any more
      throw error;
    }
  }

  override async closeWrite(): Promise<void> {
    await this.write(END_OF_INPUT);
  }
}

/** Opens a terminal of the usual size. @throws What the kernel says. */
export function openTerminal(loop: EventLoop): Terminal {
  const { calls } = loop;
  const { open } = libc()!;
  const fd = open(MULTIPLEXER, O_RDWR | O_NOCTTY | NONBLOCK | CLOEXEC, 0);
  if (fd < 0) throw socketError(calls.errno());
  const word = new Uint8Array(8);
  const view = new DataView(word.buffer);
  const demand = (result: number) => {
    if (result >= 0) return;
    const error = socketError(calls.errno());
    calls.close(fd);
    throw error;
  };
  demand(calls.ioctl(fd, TIOCSPTLCK, word)); // 0: unlocked
  demand(calls.ioctl(fd, TIOCGPTN, word));
  const path = `/dev/pts/${view.getUint32(0, IS_LITTLE_ENDIAN)}`;
  view.setUint16(0, ROWS, IS_LITTLE_ENDIAN); // struct winsize
  view.setUint16(2, COLUMNS, IS_LITTLE_ENDIAN);
  view.setUint32(4, 0, IS_LITTLE_ENDIAN);
  demand(calls.ioctl(fd, TIOCSWINSZ, word));
  return { path, stream: new TerminalStream(loop, fd) };
}
