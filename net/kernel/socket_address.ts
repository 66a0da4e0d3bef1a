/**
 * Addresses of sockets as the kernel has them, beside those of the runtime.
 *
 * @module
 */

import { parseIP } from "../../protocol/ip.ts";
import { AF_INET, AF_INET6, libc, SOCKADDR_SIZE, SOL_SOCKET } from "./libc.ts";

const SO_COOKIE = 57;

/** What tells a socket of this process from all others; a listening one has no `remote`. */
export interface SocketAddresses {
  /** This side's. */
  readonly local: Deno.NetAddr;
  /** The peer's. */
  readonly remote: Deno.NetAddr | undefined;
}

const address = new Uint8Array(SOCKADDR_SIZE);
const family = new Uint16Array(address.buffer, 0, 1); // in the machine's own byte order
const size = new Uint32Array(1);

/** Whether descriptor `fd` is the socket with these addresses, which no two share. */
export function isSocketOf(fd: number, { local, remote }: SocketAddresses): boolean {
  const calls = libc();
  if (!calls) return false;
  size[0] = SOCKADDR_SIZE;
  const isConnected = calls.getpeername(fd, address, size) === 0;
  if (remote ? !isConnected || !isAddress(remote) : isConnected) return false;
  size[0] = SOCKADDR_SIZE;
  return calls.getsockname(fd, address, size) === 0 && isAddress(local);
}

/**
 * The number that the kernel gives to one socket alone, as long as it runs: it tells in one call, and without an address,
 * whether a descriptor is still the same socket. `undefined` where it has none (Linux before 4.12).
 */
export function cookieOf(fd: number): bigint | undefined {
  size[0] = cookieBytes.length;
  const found = libc()?.getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookieBytes, size) === 0;
  return found ? cookie[0] : undefined;
}

const cookie = new BigUint64Array(1);
const cookieBytes = new Uint8Array(cookie.buffer);

/** The port to which descriptor `fd` is bound; 0 if it is not. */
export function localPortOf(fd: number): number {
  size[0] = SOCKADDR_SIZE;
  if (libc()?.getsockname(fd, address, size) !== 0) return 0;
  return address[2]! << 8 | address[3]!;
}

/** Whether the address that the kernel gave last is this one of the runtime; IPv4 may be written as IPv6 in either. */
function isAddress({ hostname, port }: Deno.NetAddr): boolean {
  if ((address[2]! << 8 | address[3]!) !== port) return false; // tells nearly all others apart, at no cost
  if (family[0] !== AF_INET && family[0] !== AF_INET6) return false;
  const wanted = parseIP(hostname);
  if (!wanted) return false;
  const from = family[0] === AF_INET ? 4 : 8;
  const have = family[0] === AF_INET ? 4 : 16;
  if (wanted.length === have) return hasAt(from, wanted);
  // One is IPv4 in IPv6, and the other as it is.
  return have === 16
    ? hasAt(from, IPV4_IN_IPV6) && hasAt(from + IPV4_IN_IPV6.length, wanted)
    : IPV4_IN_IPV6.every((byte, at) => byte === wanted[at]) && hasAt(from, wanted.slice(IPV4_IN_IPV6.length));
}

const IPV4_IN_IPV6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

function hasAt(from: number, bytes: readonly number[]): boolean {
  for (let at = 0; at < bytes.length; at++) if (address[from + at] !== bytes[at]) return false;
  return true;
}
