/**
 * A serial adapter as bytes both ways: raw, 8 data bits, no parity, through the system calls of Linux.
 *
 * @module
 */

import { CLOEXEC, NONBLOCK } from "../../net/kernel/libc.ts";
import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../net/socket.ts";
import { CAN_SEND_RETRY_MS } from "../limits.ts";
import { BusError } from "./bus.ts";
import { type CanCalls, canCalls } from "./can_calls.ts";
import { EACCES, EAGAIN, EBUSY, ENOENT, EPERM, errnoName } from "../../net/kernel/errno.ts";
import { pollReadiness, type Readiness } from "./readiness.ts";

const O_RDWR = 2;
const O_NOCTTY = 0o400;
const TCGETS2 = 0x802c542an;
const TCSETS2 = 0x402c542bn;
const TIOCEXCL = 0x540cn;
const TIOCNXCL = 0x540dn;
const CS8 = 0o60;
const CREAD = 0o200;
const CLOCAL = 0o4000;
const BOTHER = 0o10000;
const BOTHER_IN = BOTHER << 16;
const TERMIOS2_SIZE = 44;
const VTIME = 17 + 5;
const VMIN = 17 + 6;
const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** What a serial adapter stands on. */
export interface SerialMachine {
  readonly clock: Clock;
  /** @default those of this machine */
  readonly calls?: CanCalls | undefined;
  /** @default one thread that waits in `poll` */
  readonly readiness?: Readiness;
}

/** Opens a serial adapter for this process alone. @throws {BusError} with one line for people. */
export function openSerialPort(
  path: string,
  baud: number,
  { clock, calls = canCalls(), readiness = pollReadiness }: SerialMachine,
): Duplex {
  if (!calls) throw new BusError(`${path} needs Linux with glibc, and the permission to call it (--allow-ffi)`);
  const name = new TextEncoder().encode(`${path}\0`);
  const fd = calls.open(name, O_RDWR | O_NOCTTY | NONBLOCK | CLOEXEC, 0);
  if (fd < 0) throw new BusError(whyNotOpen(path, calls.errno()));
  try {
    setRaw(calls, fd, path, baud);
    calls.ioctl(fd, TIOCEXCL, new Uint8Array(4));
  } catch (error) {
    calls.close(fd);
    throw error;
  }
  return new SerialPort(path, fd, clock, calls, readiness);
}

/** No echo, no lines, no signals: bytes as they are. */
function setRaw(calls: CanCalls, fd: number, path: string, baud: number): void {
  const termios = new Uint8Array(TERMIOS2_SIZE); // iflag, oflag, cflag, lflag, line, cc[19], ispeed, ospeed
  if (calls.ioctl(fd, TCGETS2, termios) < 0) throw new BusError(`${path} is no serial adapter`);
  const view = new DataView(termios.buffer);
  for (const at of [0, 4, 12]) view.setUint32(at, 0, LITTLE);
  view.setUint32(8, CS8 | CREAD | CLOCAL | BOTHER | BOTHER_IN, LITTLE);
  termios[VTIME] = 0;
  termios[VMIN] = 1;
  for (const at of [36, 40]) view.setUint32(at, baud, LITTLE);
  if (calls.ioctl(fd, TCSETS2, termios) < 0) {
    throw new BusError(`${path} does not take ${baud} baud: ${errnoName(calls.errno())}`);
  }
}

class SerialPort implements Duplex {
  readonly #path: string;
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #calls: CanCalls;
  readonly #close: () => void;
  #readable: (() => void) | undefined;
  #closed = false;

  constructor(path: string, fd: number, clock: Clock, calls: CanCalls, readiness: Readiness) {
    this.#path = path;
    this.#fd = fd;
    this.#clock = clock;
    this.#calls = calls;
    const watch = readiness.watch(fd, () => this.#readable?.());
    this.#close = () => void watch.close().then(() => calls.close(fd));
  }

  async read(into: Uint8Array): Promise<number | null> {
    const room = new Uint8Array(into.length);
    for (;;) {
      if (this.#closed) throw new BusError(`${this.#path} is closed`);
      const size = Number(this.#calls.read(this.#fd, room, BigInt(room.length)));
      if (size > 0) {
        into.set(room.subarray(0, size));
        return size;
      }
      if (size === 0) return null; // pulled out
      const errno = this.#calls.errno();
      if (errno !== EAGAIN) throw new BusError(`${this.#path} cannot be read: ${errnoName(errno)}`);
      await new Promise<void>((resolve) => this.#readable = resolve);
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    const copy = bytes.slice();
    for (;;) {
      if (this.#closed) throw new BusError(`${this.#path} is closed`);
      const size = Number(this.#calls.write(this.#fd, copy, BigInt(copy.length)));
      if (size >= 0) return size;
      const errno = this.#calls.errno();
      if (errno !== EAGAIN) throw new BusError(`${this.#path} cannot be written: ${errnoName(errno)}`);
      await new Promise<void>((resolve) => void this.#clock.after(CAN_SEND_RETRY_MS, resolve));
    }
  }

  closeWrite(): Promise<void> {
    return Promise.resolve(); // a serial line has no end of one way
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#readable?.();
    this.#calls.ioctl(this.#fd, TIOCNXCL, new Uint8Array(4)); // the next user need not wait for the thread
    this.#close();
  }
}

function whyNotOpen(path: string, errno: number): string {
  switch (errno) {
    case ENOENT:
      return `there is no ${path}; is the adapter plugged in?`;
    case EACCES:
    case EPERM:
      return `${path} may not be opened: add the user to its group (dialout), and PrivateDevices=no to the unit`;
    case EBUSY:
      return `${path} is in use by another program`;
    default:
      return `${path} cannot be opened: ${errnoName(errno)}`;
  }
}
