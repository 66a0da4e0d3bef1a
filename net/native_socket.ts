/**
 * What the runtime does not let one do with a socket in TLS: end it when its peer stands still, and turn Nagle's algorithm off.
 *
 * Closing a `Deno.TlsConn` is not enough: the runtime first finishes the handshake, or sends what is queued, however
 * long the peer takes, and keeps the socket until then. A peer that sends nothing could so hold sockets of this process
 * for ever. Shutting the socket down underneath wakes the runtime, which then lets go of it. That takes a system call
 * that the runtime does not offer, so it needs the permission `ffi`, and Linux.
 *
 * @module
 */

import { parseIPv4, parseIPv6 } from "../protocol/address.ts";
import { closeQuietly } from "./close_quietly.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const SHUT_RDWR = 2;
const SOL_SOCKET = 1;
const SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;

/** Room for any socket address of the kernel (`struct sockaddr_storage`). */
const SOCKADDR_SIZE = 128;

/** So many descriptors in a row that are no sockets end the search for one. */
const MAX_GAP = 16_384;

const LIBRARY = "libc.so.6";
const SYMBOLS = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
} as const;

/** Whether sockets can be cut here; where not, a closed one stays until its peer goes. Never asks the user. */
export function canCut(): boolean {
  return Deno.build.os === "linux" && Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** Those whose socket was shut down: it has no peer any more, and looking for it would look at all descriptors in vain. */
const cut = new WeakSet<Deno.TlsConn>();

/** Closes `conn` and, as far as the runtime lets us, its socket at once, whatever its peer does. Idempotent. */
export function cutTls(conn: Deno.TlsConn): void {
  try {
    if (!cut.has(conn)) shutDown(conn.localAddr, conn.remoteAddr);
  } catch {
    // It is closed already, and its addresses are gone with it.
  }
  cut.add(conn);
  closeQuietly(conn);
}

/**
 * Sets TCP_NODELAY and TCP keep-alive on a listening socket, which the sockets that it accepts inherit; the runtime does
 * not offer that for TLS.
 *
 * @returns whether it was done.
 */
export function tuneListener(local: Deno.NetAddr): boolean {
  let done = false;
  // Where it is not done, small writes wait for acknowledgements, which the protocol asks for.
  withSocket(local, undefined, (fd, { setsockopt }) => {
    const on = new Uint8Array(new Int32Array([1]).buffer);
    done = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, on.length) === 0 &&
      setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, on, on.length) === 0;
  });
  return done;
}

/** Shuts down the socket of this process that has these two addresses, which no two sockets share. */
function shutDown(local: Deno.NetAddr, remote: Deno.NetAddr): void {
  withSocket(local, remote, (fd, { shutdown }) => shutdown(fd, SHUT_RDWR));
}

/** The descriptor of a connection of this process; `undefined` if it is not found, or cannot be looked for. */
export function findSocket(local: Deno.NetAddr, remote: Deno.NetAddr): number | undefined {
  let found: number | undefined;
  withSocket(local, remote, (fd) => found = fd);
  return found;
}

type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The library, for as long as the process lives: a flood of strangers would have it opened a thousand times a second. */
const library = load();

function load(): Calls | undefined {
  try {
    return canCut() ? Deno.dlopen(LIBRARY, SYMBOLS).symbols : undefined;
  } catch {
    return undefined; // musl has another name for it
  }
}

/** Where the last socket was found: those who come one after the other often leave so, too. */
let lastFound = 0;

/** Finds a socket of this process by its addresses; a listening one has no `remote`. */
function withSocket(
  local: Deno.NetAddr,
  remote: Deno.NetAddr | undefined,
  use: (fd: number, calls: Calls) => void,
): void {
  if (!library || !canCut()) return;
  const { getsockname, getpeername } = library;
  const address = new Uint8Array(SOCKADDR_SIZE);
  const size = new Uint32Array(1);
  const ask = (call: typeof getsockname, fd: number) => {
    size[0] = SOCKADDR_SIZE;
    return call(fd, address, size) === 0;
  };
  /** Looks at `fd`. @returns whether it is a socket, and whether it is the one. */
  const look = (fd: number): "none" | "another" | "found" => {
    if (!ask(getsockname, fd)) return "none";
    if (!isAddress(address, local)) return "another";
    const connected = ask(getpeername, fd);
    return (remote ? connected && isAddress(address, remote) : !connected) ? "found" : "another";
  };
  const found = (fd: number) => {
    lastFound = fd;
    use(fd, library);
  };
  const start = lastFound;
  // Descriptors are numbered from 0 up, the lowest that is free first.
  for (let fd = start, gap = 0; gap < MAX_GAP; fd++) {
    const what = look(fd);
    if (what === "found") return found(fd);
    gap = what === "none" ? gap + 1 : 0;
  }
  for (let fd = 0; fd < start; fd++) {
    if (look(fd) === "found") return found(fd);
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
