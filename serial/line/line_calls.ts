/**
 * The system calls that a line takes, and where they come from. Tests bring their own.
 *
 * @module
 */

import { IS_LITTLE_ENDIAN, lastErrno, libc } from "../../net/kernel/libc.ts";
import { descriptorDuplex } from "../../net/engines.ts";
import type { Duplex } from "../../net/socket.ts";

/** Calls of the C library; all return at once. */
export interface LineCalls {
  /** open(2), of a path that ends with a zero byte. */
  open(path: Uint8Array<ArrayBuffer>, flags: number, mode: number): number;
  /** ioctl(2), with something to read or write. */
  ioctl(fd: number, request: bigint, argument: Uint8Array<ArrayBuffer>): number;
  /** ioctl(2), with a number. */
  ioctlNumber(fd: number, request: bigint, argument: bigint): number;
  /** flock(2). */
  flock(fd: number, operation: number): number;
  /** kill(2). */
  kill(pid: number, signal: number): number;
  /** close(2). */
  close(fd: number): number;
  /** The number of the error of the call just before. */
  errno(): number;
  /** Bytes both ways over a descriptor, which it owns from then on. */
  duplex(fd: number): Duplex;
}

/** Those of this machine; `undefined` without Linux, glibc or the permission `ffi`. */
export function lineCalls(): LineCalls | undefined {
  const calls = libc();
  if (!calls) return undefined;
  const { open, ioctl, ioctlNumber, flock, kill, close } = calls;
  return {
    open,
    ioctl,
    ioctlNumber,
    flock,
    kill,
    close,
    errno: () => lastErrno(calls),
    duplex: descriptorDuplex,
  };
}

/** A number to be passed by its place. */
export function numberPlace(value: number): Uint8Array<ArrayBuffer> {
  const place = new Uint8Array(4);
  new DataView(place.buffer).setInt32(0, value, IS_LITTLE_ENDIAN);
  return place;
}

/** The number in such a place. */
export function numberAt(place: Uint8Array<ArrayBuffer>): number {
  return new DataView(place.buffer).getInt32(0, IS_LITTLE_ENDIAN);
}
