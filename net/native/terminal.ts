/**
 * Terminals (pty(7)) for programs.
 *
 * @module
 */

import { errorCode } from "../../base/errors.ts";
import { CLOEXEC, IS_LITTLE_ENDIAN, libc, NONBLOCK } from "../kernel/libc.ts";
import { COLUMNS, ROWS } from "./limits.ts";
import type { Terminal } from "../socket.ts";
import { DescriptorStream } from "./descriptor_stream.ts";
import { socketError } from "./errno.ts";
import type { EventLoop } from "./event_loop.ts";

const MULTIPLEXER = new TextEncoder().encode("/dev/ptmx\0");
const O_RDWR = 2;
const O_NOCTTY = 0o400;
const TIOCSPTLCK = 0x40045431n;
const TIOCGPTN = 0x80045430n;
const TIOCSWINSZ = 0x5414n;

/** What ends a line's input where the program has left the terminal as it is. */
const END_OF_INPUT = Uint8Array.of(4);

/** A terminal's side that faces whoever sits at it. */
class TerminalStream extends DescriptorStream {
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
