/**
 * A serial line of the kernel of Linux, through its system calls.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { CLOEXEC, NONBLOCK } from "../../net/kernel/libc.ts";
import type { Duplex, Soon } from "../../net/socket.ts";
import { LINE_DRAIN_MS, LINE_DRAIN_POLL_MS } from "../limits.ts";
import type { LineSettings } from "../settings.ts";
import { type LineErrors, type ModemLines, SerialError, type SerialLine } from "./line.ts";
import { type LineCalls, lineCalls, numberAt, numberPlace } from "./line_calls.ts";
import { EACCES, EBUSY, EIO, ENODEV, ENOENT, ENXIO, EPERM, errnoName } from "../../net/kernel/errno.ts";
import { takeLockFile } from "./lock_file.ts";
import {
  COUNTERS_SIZE,
  Ioctl,
  Modem,
  readErrors,
  readModem,
  readSettings,
  TERMIOS_SIZE,
  writeSettings,
} from "./termios.ts";

const O_RDWR = 2;
const O_NOCTTY = 0o400;
const LOCK_EX_NB = 2 | 4;
const [IN, OUT] = [0n, 1n];
const NOTHING = new Uint8Array(4);

/** What a line stands on. */
export interface TtyMachine {
  readonly clock: Clock;
  /** @default those of this machine */
  readonly calls?: LineCalls | undefined;
  /** Where lock files are. @default {LOCK_FOLDER} */
  readonly lockFolder?: string | undefined;
}

/**
 * Why this machine cannot have serial lines at all; `undefined`: it can.
 *
 * @returns one line for people.
 */
export function whyNoTty(path: string, calls: LineCalls | undefined = lineCalls()): string | undefined {
  if (calls) return undefined;
  return `${path} takes Linux with glibc, and the permission to call it (--allow-ffi); ` +
    "without it, let a program such as ser2net or socat put the line at a TCP port, and offer that";
}

/**
 * Who else may have a line while it is open: anybody; no other program, as the kernel sees to; nor those that look for its
 * lock file before they ask the kernel.
 */
export type Hold = "shared" | "alone" | "locked";

/** Opens a line. @throws {SerialError} */
export function openTty(
  path: string,
  settings: LineSettings,
  hold: Hold,
  { clock, calls = lineCalls(), lockFolder }: TtyMachine,
): SerialLine {
  if (!calls) throw new SerialError(whyNoTty(path, calls)!, { isLacking: true });
  demandPermission(path);
  const isAlone = hold !== "shared";
  const free = hold === "locked" ? takeLockFile(path, calls, lockFolder) : () => {};
  try {
    const fd = calls.open(new TextEncoder().encode(`${path}\0`), O_RDWR | O_NOCTTY | NONBLOCK | CLOEXEC, 0);
    if (fd < 0) throw whyNotOpen(path, calls.errno());
    return new Tty({ path, fd, clock, calls, isAlone, free, ...setUp(calls, fd, path, settings, isAlone) });
  } catch (error) {
    free();
    throw error;
  }
}

/** Sets it. @returns how it was, how it is now, and its bytes. @throws {SerialError} It is closed then. */
function setUp(calls: LineCalls, fd: number, path: string, wanted: LineSettings, isAlone: boolean) {
  let saved: Uint8Array<ArrayBuffer>;
  let settings: LineSettings;
  try {
    saved = termiosOf(calls, fd, path);
    if (isAlone) demandAlone(calls, fd, path);
    settings = setTermios(calls, fd, path, saved, wanted);
  } catch (error) {
    if (isAlone) calls.ioctl(fd, Ioctl.TIOCNXCL, NOTHING);
    calls.close(fd);
    throw error;
  }
  try {
    return { saved, settings, duplex: calls.duplex(fd) };
  } catch (cause) { // it is closed by whoever did not want it
    throw new SerialError(`${path} cannot be watched: ${describeError(cause)}`, { cause });
  }
}

/** Calls of the C library pass by what the runtime was told to allow: so it is asked here. */
function demandPermission(path: string): void {
  const lacking = (["read", "write"] as const).filter((name) =>
    Deno.permissions.querySync({ name, path }).state !== "granted"
  );
  if (lacking.length === 0) return;
  const options = lacking.map((name) => `--allow-${name}=${path}`).join(" ");
  throw new SerialError(`${path} may not be opened by this process; run it with ${options}`);
}

/** This process alone has it: for those that ask the kernel, and for those that ask for the file's lock. */
function demandAlone(calls: LineCalls, fd: number, path: string): void {
  if (calls.flock(fd, LOCK_EX_NB) < 0) throw new SerialError(`${path} is in use by another program`, { isBusy: true });
  calls.ioctl(fd, Ioctl.TIOCEXCL, NOTHING);
}

function termiosOf(calls: LineCalls, fd: number, path: string): Uint8Array<ArrayBuffer> {
  const termios = new Uint8Array(TERMIOS_SIZE);
  if (calls.ioctl(fd, Ioctl.TCGETS2, termios) >= 0) return termios;
  const errno = calls.errno();
  if (errno === EIO || errno === ENODEV || errno === ENXIO) throw new SerialError(`${path} is gone`);
  throw new SerialError(`${path} is no serial line; \`ls /dev/serial/by-id\` lists those of USB`);
}

/** @returns how it is set then. */
function setTermios(
  calls: LineCalls,
  fd: number,
  path: string,
  from: Uint8Array<ArrayBuffer>,
  settings: LineSettings,
): LineSettings {
  const termios = from.slice();
  writeSettings(termios, settings);
  if (calls.ioctl(fd, Ioctl.TCSETS2, termios) < 0) {
    throw new SerialError(`${path} does not take ${settings.baud} bit/s: ${errnoName(calls.errno())}`);
  }
  return readSettings(termiosOf(calls, fd, path));
}

/** What a line that is open consists of. */
interface TtyParts {
  readonly path: string;
  readonly fd: number;
  readonly clock: Clock;
  readonly calls: LineCalls;
  readonly duplex: Duplex;
  /** How it was before. */
  readonly saved: Uint8Array<ArrayBuffer>;
  readonly settings: LineSettings;
  readonly isAlone: boolean;
  /** Frees the lock file. */
  free(): void;
}

class Tty implements SerialLine {
  readonly #parts: TtyParts;
  readonly #fd: number;
  readonly #calls: LineCalls;
  #settings: LineSettings;
  #closed = false;
  #closing = false;

  constructor(parts: TtyParts) {
    this.#parts = parts;
    this.#fd = parts.fd;
    this.#calls = parts.calls;
    this.#settings = parts.settings;
  }

  get settings(): LineSettings {
    return this.#settings;
  }

  set(settings: LineSettings): LineSettings {
    this.#demandOpen();
    return this.#settings = setTermios(this.#calls, this.#fd, this.#parts.path, this.#parts.saved, settings);
  }

  setBreak(on: boolean): void {
    if (!this.#closed) this.#calls.ioctl(this.#fd, on ? Ioctl.TIOCSBRK : Ioctl.TIOCCBRK, NOTHING);
  }

  setModem(which: "dtr" | "rts", on: boolean): void {
    if (this.#closed) return;
    const bits = numberPlace(which === "dtr" ? Modem.DTR : Modem.RTS);
    this.#calls.ioctl(this.#fd, on ? Ioctl.TIOCMBIS : Ioctl.TIOCMBIC, bits);
  }

  modem(): ModemLines | undefined {
    const bits = numberPlace(0);
    if (this.#closed || this.#calls.ioctl(this.#fd, Ioctl.TIOCMGET, bits) < 0) return undefined;
    return readModem(numberAt(bits));
  }

  errors(): LineErrors | undefined {
    const counters = new Uint8Array(COUNTERS_SIZE);
    if (this.#closed || this.#calls.ioctl(this.#fd, Ioctl.TIOCGICOUNT, counters) < 0) return undefined;
    return readErrors(counters);
  }

  purge(received: boolean, toSend: boolean): void {
    if (this.#closed) return;
    if (received) this.#calls.ioctlNumber(this.#fd, Ioctl.TCFLSH, IN);
    if (toSend) this.#calls.ioctlNumber(this.#fd, Ioctl.TCFLSH, OUT);
  }

  read(into: Uint8Array): Soon<number | null> {
    return this.#parts.duplex.read(into);
  }

  write(bytes: Uint8Array): Soon<number> {
    return this.#parts.duplex.write(bytes);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const end = this.#parts.clock.now() + LINE_DRAIN_MS;
    while (!this.#closed && this.#hasToSend() && this.#parts.clock.now() < end) {
      await new Promise<void>((resolve) => void this.#parts.clock.after(LINE_DRAIN_POLL_MS, resolve));
    }
    this.cut();
  }

  #hasToSend(): boolean {
    const count = numberPlace(0);
    return this.#calls.ioctl(this.#fd, Ioctl.TIOCOUTQ, count) >= 0 && numberAt(count) > 0;
  }

  cut(): void {
    if (this.#closed) return;
    this.#closed = true;
    const calls = this.#calls;
    if (this.#hasToSend()) calls.ioctlNumber(this.#fd, Ioctl.TCFLSH, OUT); // else close(2) would wait, and all with it
    calls.ioctl(this.#fd, Ioctl.TIOCCBRK, NOTHING);
    calls.ioctl(this.#fd, Ioctl.TCSETS2, this.#parts.saved);
    if (this.#parts.isAlone) calls.ioctl(this.#fd, Ioctl.TIOCNXCL, NOTHING);
    this.#parts.duplex.close();
    this.#parts.free();
  }

  #demandOpen(): void {
    if (this.#closed) throw new SerialError(`${this.#parts.path} is closed`);
  }
}

function whyNotOpen(path: string, errno: number): SerialError {
  switch (errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return new SerialError(`there is no ${path}; is the adapter plugged in?`);
    case EACCES:
    case EPERM:
      return new SerialError(
        `${path} may not be opened by this user; add the user to the device's group (usermod -aG dialout USER), and ` +
          "PrivateDevices=no to the unit",
      );
    case EBUSY:
      return new SerialError(`${path} is in use by another program`, { isBusy: true });
    default:
      return new SerialError(`${path} cannot be opened: ${errnoName(errno)}`);
  }
}
