/**
 * The system calls that a bus takes, and where they come from. Tests bring their own.
 *
 * @module
 */

import { lastErrno, libc } from "../../net/kernel/libc.ts";

/** Calls of the C library; all return at once. */
export interface CanCalls {
  /** socket(2). */
  socket(domain: number, type: number, protocol: number): number;
  /** bind(2). */
  bind(fd: number, address: Uint8Array<ArrayBuffer>, size: number): number;
  /** setsockopt(2). */
  setsockopt(fd: number, level: number, name: number, value: Uint8Array<ArrayBuffer>, size: number): number;
  /** ioctl(2). */
  ioctl(fd: number, request: bigint, argument: Uint8Array<ArrayBuffer>): number;
  /** read(2). */
  read(fd: number, into: Uint8Array<ArrayBuffer>, size: bigint): number | bigint;
  /** write(2). */
  write(fd: number, bytes: Uint8Array<ArrayBuffer>, size: bigint): number | bigint;
  /** close(2). */
  close(fd: number): number;
  /** The number of the error of the call just before. */
  errno(): number;
}

/** Those of this machine; `undefined` without Linux, glibc or the permission `ffi`. */
export function canCalls(): CanCalls | undefined {
  const calls = libc();
  if (!calls) return undefined;
  const { socket, bind, setsockopt, ioctl, read, write, close } = calls;
  return {
    socket,
    bind,
    setsockopt,
    ioctl,
    read,
    write,
    close,
    errno: () => lastErrno(calls),
  };
}
