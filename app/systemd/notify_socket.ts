/**
 * The socket at which a service manager hears how its service is: datagrams of `NAME=value` lines (sd_notify(3)).
 *
 * @module
 */

import { AF_UNIX, type Calls, CLOEXEC, libc, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_DGRAM } from "../../net/kernel/libc.ts";

/** `sun_path` of a `struct sockaddr_un`, in bytes. */
const PATH_SIZE = 108;

/**
 * The `struct sockaddr_un` of an address as `NOTIFY_SOCKET` has it: a path, or `@` and the name of an abstract socket.
 *
 * @throws {SyntaxError} that says what is wrong with it.
 */
export function socketAddress(text: string): Uint8Array<ArrayBuffer> {
  const isAbstract = text.startsWith("@");
  if (!isAbstract && !text.startsWith("/")) throw new SyntaxError("it is neither a path nor @ and a name");
  const name = new TextEncoder().encode(text);
  if (name.length < 2 || name.length >= PATH_SIZE) {
    throw new SyntaxError(`it has ${name.length} bytes, and there may be 2 to ${PATH_SIZE - 1}`);
  }
  if (isAbstract) name[0] = 0; // its name ends with the address, and not with a NUL
  const address = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
  address.set(name, 2);
  return address;
}

/** Where a service manager listens. Its owner closes it. */
export class NotifySocket implements Disposable {
  readonly #calls: Calls;
  readonly #address: Uint8Array<ArrayBuffer>;
  /** Kept open: when descriptors run out, the watchdog has to hear of this process all the same. */
  #fd = -1;

  private constructor(calls: Calls, address: Uint8Array<ArrayBuffer>) {
    this.#calls = calls;
    this.#address = address;
  }

  /**
   * To the socket at `text`; nothing is sent.
   *
   * @throws {SyntaxError} if that is no address of a socket.
   * @throws {Error} where there are no system calls: no Linux with glibc, or no permission `ffi`.
   */
  static to(text: string): NotifySocket {
    const address = socketAddress(text);
    const calls = libc();
    if (!calls) throw new Error("that takes Linux with glibc, and the permission ffi");
    return new NotifySocket(calls, address);
  }

  /** Sends one message, without waiting. @returns whether it was taken. */
  send(message: string): boolean {
    const bytes = new TextEncoder().encode(message);
    for (let tries = 0; tries < 2; tries++) { // whoever listened before may have made its socket anew
      if (this.#fd < 0 && !this.#connect()) return false;
      const sent = this.#calls.send(this.#fd, bytes, BigInt(bytes.length), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (Number(sent) === bytes.length) return true;
      this[Symbol.dispose]();
    }
    return false;
  }

  #connect(): boolean {
    const fd = this.#calls.socket(AF_UNIX, SOCK_DGRAM | CLOEXEC, 0);
    if (fd < 0) return false;
    if (this.#calls.connect(fd, this.#address, this.#address.length) === 0) {
      this.#fd = fd;
      return true;
    }
    this.#calls.close(fd);
    return false;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) this.#calls.close(this.#fd);
    this.#fd = -1;
  }
}

/** Microseconds of the kernel's monotonic clock, which is the service manager's own; `undefined` where it cannot be read. */
export function monotonicMicroseconds(): bigint | undefined {
  const time = new BigInt64Array(2); // struct timespec
  const CLOCK_MONOTONIC = 1;
  if (libc()?.clock_gettime(CLOCK_MONOTONIC, time) !== 0) return undefined;
  return time[0]! * 1_000_000n + time[1]! / 1_000n;
}
