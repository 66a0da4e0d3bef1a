/**
 * Ends a TLS connection whose peer stands still.
 *
 * Closing a `Deno.TlsConn` is not enough: the runtime first finishes the handshake, or sends what is queued, however
 * long the peer takes, and keeps the socket until then. A peer that sends nothing could so hold sockets of this process
 * for ever. Shutting the socket down underneath wakes the runtime, which then lets go of it. That takes a system call
 * that the runtime does not offer, so it needs the permission `ffi`, and Linux.
 *
 * @module
 */

import { parseIPv4, parseIPv6 } from "../protocol/address.ts";
import { closeQuietly } from "./transport.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const SHUT_RDWR = 2;

/** Room for any socket address of the kernel (`struct sockaddr_storage`). */
const SOCKADDR_SIZE = 128;

/** So many descriptors in a row that are no sockets end the search for one. */
const MAX_GAP = 16_384;

const LIBRARY = "libc.so.6";
const SYMBOLS = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
} as const;

/** Whether sockets can be cut here; where not, a closed one stays until its peer goes. Never asks the user. */
export function canCut(): boolean {
  return Deno.build.os === "linux" && Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** Closes `conn` and, as far as the runtime lets us, its socket at once, whatever its peer does. Idempotent. */
export function cutTls(conn: Deno.TlsConn): void {
  try {
    if (canCut()) shutDown(conn.localAddr, conn.remoteAddr);
  } catch {
    // There is no such library (musl has another name for it): what can be done without it is done below.
  }
  closeQuietly(conn);
}

/** Shuts down the socket of this process that has these two addresses, which no two sockets share. */
function shutDown(local: Deno.NetAddr, remote: Deno.NetAddr): void {
  const library = Deno.dlopen(LIBRARY, SYMBOLS); // opened each time: this is rare, and nothing is left open
  try {
    const { getsockname, getpeername, shutdown } = library.symbols;
    const address = new Uint8Array(SOCKADDR_SIZE);
    const size = new Uint32Array(1);
    const ask = (call: typeof getsockname, fd: number) => {
      size[0] = SOCKADDR_SIZE;
      return call(fd, address, size) === 0;
    };
    // Descriptors are numbered from 0 up, the lowest that is free first.
    for (let fd = 0, gap = 0; gap < MAX_GAP; fd++) {
      if (!ask(getsockname, fd)) {
        gap++;
        continue;
      }
      gap = 0;
      if (!isAddress(address, local) || !ask(getpeername, fd) || !isAddress(address, remote)) continue;
      shutdown(fd, SHUT_RDWR);
      return;
    }
  } finally {
    library.close();
  }
}

/** Whether an address of the kernel is this one of the runtime; IPv4 may be written as IPv6 in either. */
function isAddress(sockaddr: Uint8Array, { hostname, port }: Deno.NetAddr): boolean {
  if ((sockaddr[2]! << 8 | sockaddr[3]!) !== port) return false; // tells nearly all others apart, at no cost
  const family = new Uint16Array(sockaddr.buffer)[0]; // in the machine's own byte order
  if (family !== AF_INET && family !== AF_INET6) return false;
  const bytes = family === AF_INET ? widened([...sockaddr.subarray(4, 8)]) : [...sockaddr.subarray(8, 24)];
  const wanted = widened(parseIPv4(hostname) ?? parseIPv6(hostname) ?? []);
  return bytes.length === wanted.length && bytes.every((byte, at) => byte === wanted[at]);
}

function widened(bytes: number[]): number[] {
  return bytes.length === 4 ? [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...bytes] : bytes;
}
