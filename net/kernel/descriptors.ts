/**
 * Which descriptor a socket of the runtime has, which the runtime does not tell.
 *
 * The kernel gives the lowest number that is free. So a new socket is looked for where the last one ended and where one
 * was let go of, past those that are known already: a few looks, however many sockets there are, and never more than
 * {@linkcode MAX_LOOKS}. Whoever is not found is a socket like any other, but for what `socket.ts` does.
 *
 * @module
 */

import { MAX_LOOKS, MAX_LOOKS_AHEAD } from "../limits.ts";
import { cookieOf, isSocketOf, localPortOf, type SocketAddresses } from "./socket_address.ts";

/** Whether descriptor `fd` is the socket that is looked for. */
export type Look = (fd: number) => boolean;

/** Numbers of descriptors, known and not. */
export class DescriptorTable {
  /** A bit for each number that is known: whose it is, and that nobody else has it. */
  #known = new Uint32Array(32);
  /** About the lowest number that is free. */
  #next = 0;

  /**
   * Finds a descriptor that is not known, within {@linkcode MAX_LOOKS} looks.
   *
   * @param guess The number that it probably is.
   */
  find(look: Look, guess?: number): number | undefined {
    const found = guess !== undefined && guess >= 0 && look(guess) ? guess : this.#search(look);
    if (found !== undefined) this.#take(found);
    return found;
  }

  /** The descriptor is closed, or about to be. */
  release(fd: number): void {
    this.#known[fd >> 5]! &= ~(1 << (fd & 31));
    this.#next = Math.min(this.#next, fd);
  }

  #search(look: Look): number | undefined {
    let looks = 0;
    const from = this.#next;
    let fd = this.#unknown(from);
    for (; looks < MAX_LOOKS_AHEAD; fd = this.#unknown(fd + 1), looks++) if (look(fd)) return fd;
    for (let low = this.#unknown(0); low < from && looks < MAX_LOOKS; low = this.#unknown(low + 1), looks++) {
      if (look(low)) return low;
    }
    // Somebody may have closed one without a word, and its number is another's now.
    for (let any = 0; looks < MAX_LOOKS; any++, looks++) if (look(any)) return any;
    return undefined;
  }

  /** The lowest number from `fd` on that is not known; 32 at a time are passed over. */
  #unknown(fd: number): number {
    for (;;) {
      const word = this.#known[fd >> 5];
      if (word === undefined) return fd;
      const free = ~word >>> (fd & 31);
      if (free !== 0) return fd + 31 - Math.clz32(free & -free);
      fd = (fd | 31) + 1;
    }
  }

  #take(fd: number): void {
    while (fd >> 5 >= this.#known.length) {
      const larger = new Uint32Array(this.#known.length * 2);
      larger.set(this.#known);
      this.#known = larger;
    }
    this.#known[fd >> 5]! |= 1 << (fd & 31);
    this.#next = fd + 1;
  }
}

const table = new DescriptorTable();

interface Known extends SocketAddresses {
  readonly fd: number;
  readonly cookie: bigint | undefined;
}

/** A connection or a listener. */
export type Socket = Deno.Conn<Deno.NetAddr> | Deno.Listener<Deno.Conn, Deno.NetAddr>;

/** By connection or listener, `null` for one that was looked for in vain or is closed; nobody else keeps it alive. */
const sockets = new WeakMap<object, Known | null>();

/**
 * Finds out which descriptor a new connection or listener has, as far as that can be had; to be called before anything
 * else is opened; only the first time counts. Whoever closes it calls {@linkcode forgetSocket}.
 */
export function noteSocket(socket: Socket): void {
  if (sockets.has(socket)) return;
  sockets.set(socket, null); // where it cannot be found, as a peer has reset it already, it is not looked for again
  try {
    const addresses: SocketAddresses = "addr" in socket
      ? { local: socket.addr, remote: undefined }
      : { local: socket.localAddr, remote: socket.remoteAddr };
    const fd = table.find((candidate) => isSocketOf(candidate, addresses), guessOf(socket));
    if (fd !== undefined) sockets.set(socket, { ...addresses, fd, cookie: cookieOf(fd) });
  } catch {
    // It is closed already, and its addresses are gone with it.
  }
}

/** Some versions of the runtime have the number on some connections; what it says is looked at before it is believed. */
function guessOf(socket: object): number | undefined {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    if (symbol.description !== "Deno.internal.fd") continue;
    const value: unknown = Object.getOwnPropertyDescriptor(socket, symbol)?.value;
    return typeof value === "number" ? value : undefined;
  }
  return undefined;
}

/** The socket was bound anew, and has another port of its own than the runtime says. */
export function reboundSocket(socket: object): void {
  const known = sockets.get(socket);
  if (!known) return;
  sockets.set(socket, { ...known, local: { ...known.local, port: localPortOf(known.fd) } });
}

/** The connection has become another one on the same socket, as one in TLS. */
export function renameSocket(from: object, to: object): void {
  const known = sockets.get(from);
  if (known === undefined) return;
  sockets.delete(from);
  sockets.set(to, known);
}

/** The socket is about to be closed. */
export function forgetSocket(socket: object): void {
  const known = sockets.get(socket);
  sockets.set(socket, null);
  if (known) table.release(known.fd);
}

/** The descriptor of a socket that was noted, if it is still that socket's. */
export function descriptorOf(socket: Socket): number | undefined {
  noteSocket(socket);
  const known = sockets.get(socket) ?? undefined;
  return known && isStill(known) ? known.fd : undefined;
}

/** By addresses it takes longer, and a socket that its peer has reset has none. */
function isStill(known: Known): boolean {
  return known.cookie === undefined ? isSocketOf(known.fd, known) : cookieOf(known.fd) === known.cookie;
}
