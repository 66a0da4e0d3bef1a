/**
 * How the runtime is given its turn: a connection of the process to itself, by loopback. One end is the runtime's, which
 * waits for it with all else that it waits for; so a byte sent to it comes back when the runtime has looked at its timers,
 * files, signals and sockets.
 *
 * A timer of no time does the same, a millisecond late or two; an immediate is one with some versions of the runtime (Deno
 * 2.4), and with others its sockets have no turn; and a call on another thread costs the waking of two threads. This takes
 * 20 µs with each version.
 *
 * @module
 */

import { nextTick } from "node:process";
import { systemClock } from "../../base/clock.ts";
import type { Address } from "../../protocol/address.ts";
import { CLOEXEC, MSG_NOSIGNAL, NONBLOCK, SOCK_STREAM } from "../kernel/libc.ts";
import { EINPROGRESS, socketError } from "../kernel/errno.ts";
import { kernelAddress, localAddressOf } from "../kernel/socket_address.ts";
import { type SocketCalls, socketCalls } from "./calls.ts";
import {
  DOORBELL_LATE_LOOKS,
  DOORBELL_RETRY_MS,
  DOORBELL_SLOW_MS,
  DOORBELL_SLOW_RINGS,
  DOORBELL_STRANGERS,
} from "./limits.ts";
import { setLinger, tune } from "./options.ts";

/** Loopback, as all of 127.0.0.0/8 (RFC 1122 §3.2.1.3), and in the way of nobody who wants a port of 127.0.0.1. */
const LOOPBACK = "127.83.80.1";
const ONE = new Uint8Array(1);
const NOTHING = (): void => {};

/** Gives the runtime its turn: by a timer until it is open, and where it cannot be. */
export class Doorbell {
  readonly #calls: SocketCalls | undefined;
  #outer = -1; // the descriptor that is written to; -1: it is not open
  #close = NOTHING;
  #closed: Promise<void> | undefined; // once it is
  #notBefore = 0;
  #due: (() => void) | undefined; // what is called when the byte has come
  #isWanted = false;
  #looks = 0; // for which it has not come to be open, or nothing has come
  #rungAt = 0;
  #slow = 0; // bytes in a row that took long

  /** It is not open yet. `calls`: the system's, where they can be had. */
  constructor(calls: SocketCalls | undefined = socketCalls()) {
    this.#calls = calls;
  }

  /** Calls `fn` when the runtime has had its turn, and promises that are due have run. One at a time. */
  ring(fn: () => void): void {
    if (this.#outer < 0 || this.#calls!.sendNow(this.#outer, ONE, 1, MSG_NOSIGNAL) !== 1) {
      return void systemClock.after(0, fn);
    }
    this.#due = fn;
    this.#rungAt = systemClock.now();
    this.#looks = 0;
  }

  /** Opens it, if it is not; that takes some turns. */
  open(): void {
    this.#isWanted = true;
    if (this.#closed || !this.#calls || systemClock.now() < this.#notBefore || !isAllowed()) return;
    this.#looks = this.#slow = 0;
    this.#closed = this.#run(this.#calls).catch(() => this.#giveUp()).finally(() => {
      this.#closed = undefined;
      if (this.#isWanted) this.open(); // it was closed and opened meanwhile
      const due = this.#due;
      this.#due = undefined;
      if (due) systemClock.after(0, due);
    });
  }

  /** Closes it. What it was rung for comes all the same. */
  async close(): Promise<void> {
    this.#isWanted = false;
    this.#close();
    await this.#closed;
  }

  /** To be called a few times a second: what has not come by then does not come any more. */
  look(): void {
    const isWaiting = this.#due !== undefined || this.#closed !== undefined && this.#outer < 0;
    this.#looks = isWaiting ? this.#looks + 1 : 0;
    if (this.#looks < DOORBELL_LATE_LOOKS) return;
    this.#giveUp();
    this.#close();
  }

  /** It is not tried again for a while. */
  #giveUp(): void {
    this.#notBefore = systemClock.now() + DOORBELL_RETRY_MS;
  }

  /** From its opening to its end. @throws Unless it was closed. */
  async #run(calls: SocketCalls): Promise<void> {
    const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    let held: { close(): void } = listener;
    let isOver = false;
    let outer = -1;
    this.#close = () => {
      if (isOver) return;
      isOver = true;
      this.#outer = -1;
      held.close();
    };
    try {
      outer = dial(calls, listener.addr.port);
      const inner = await acceptFrom(listener, localAddressOf(calls, outer));
      if (isOver) return inner.close();
      listener.close();
      held = inner;
      this.#outer = outer;
      await this.#serve(inner);
    } catch (error) {
      if (!isOver) throw error;
    } finally {
      this.#close();
      if (outer >= 0) calls.close(outer);
    }
  }

  /** Until it is closed, or cut. */
  async #serve(inner: Deno.TcpConn): Promise<void> {
    const room = new Uint8Array(16);
    while (await inner.read(room) !== null) {
      const due = this.#due;
      this.#due = undefined;
      this.#slow = systemClock.now() - this.#rungAt > DOORBELL_SLOW_MS ? this.#slow + 1 : 0;
      if (due) nextTick(due); // within a promise, others would not run
      if (this.#slow >= DOORBELL_SLOW_RINGS) throw new Error("slower than a timer");
    }
    throw new Error("cut");
  }
}

/** Without that permission, the user would be asked for it. */
function isAllowed(): boolean {
  return Deno.permissions.querySync({ name: "net", host: LOOPBACK }).state === "granted";
}

/** A descriptor that is being connected to a port of this machine. @throws What the kernel says. */
function dial(calls: SocketCalls, port: number): number {
  const { family, bytes } = kernelAddress({ host: LOOPBACK, port });
  const fd = calls.socket(family, SOCK_STREAM | NONBLOCK | CLOEXEC, 0);
  if (fd < 0) throw socketError(calls.errno());
  tune(calls, fd);
  setLinger(calls, fd, true); // no state is left of it when it is closed
  const own = kernelAddress({ host: LOOPBACK, port: 0 }).bytes; // else it would take a port of 127.0.0.1
  const isBound = calls.bind(fd, own, own.length) === 0;
  if (isBound && (calls.connect(fd, bytes, bytes.length) === 0 || calls.errno() === EINPROGRESS)) return fd;
  const error = socketError(calls.errno());
  calls.close(fd);
  throw error;
}

/** The connection that comes from `from`; strangers are turned away. @throws If there are too many of them. */
export async function acceptFrom(listener: Deno.TcpListener, from: Address): Promise<Deno.TcpConn> {
  for (let strangers = 0; strangers <= DOORBELL_STRANGERS; strangers++) {
    const conn = await listener.accept();
    const { hostname, port } = conn.remoteAddr;
    if (hostname === from.host && port === from.port) return conn;
    conn.close();
  }
  throw new Error("strangers come in its place");
}
