/**
 * A connection's bytes, over the loop: what can be done at once is, the rest when the kernel says that it can.
 *
 * @module
 */

import { MSG_NOSIGNAL } from "../kernel/libc.ts";
import { errorCode } from "../../base/errors.ts";
import { READ_PER_PASS } from "./limits.ts";
import type { SocketCalls } from "./calls.ts";
import { closedError, EAGAIN, EINTR, socketError } from "../kernel/errno.ts";
import { ENDED, type EventLoop, OVER, READABLE, URGENT, type Waiting, type Watcher, WRITABLE } from "./event_loop.ts";
import type { Duplex, Soon } from "../socket.ts";

/** An attempt that would have had to wait. */
export const LATER = -1;

/** Reads and writes on a descriptor, by attempts. It owns the descriptor. */
export abstract class Stream implements Duplex, Watcher, Waiting {
  readonly sharesTurns = true;
  readonly #loop: EventLoop;
  #fd: number;

  // What the kernel has said: edges, so it is kept until an attempt proves it wrong.
  #readable = true;
  #writable = true;
  #readsShort = false; // there may be more behind a short read
  /** Called when the connection may be over both ways: also by an event that was meant for the descriptor's former owner. */
  protected onOver: (() => void) | undefined;
  /** Whether it may be: the kernel has said so. */
  protected isOver = false;
  // What a write failed with: the kernel says it once, and an end to whoever reads after that.
  #failure: unknown;

  // The read that waits, and what was read in this pass without a pause.
  #into: Uint8Array | undefined;
  #resolveRead: ((count: number | null) => void) | undefined;
  #rejectRead: ((error: unknown) => void) | undefined;
  #pass = -1;
  #read = 0;

  // The write that waits.
  #bytes: Uint8Array | undefined;
  #resolveWrite: ((count: number) => void) | undefined;
  #rejectWrite: ((error: unknown) => void) | undefined;

  /**
   * Takes over `fd`, which does not block; `isWatched`: the loop watches it already, for another.
   *
   * @throws If the kernel cannot watch it; it is closed then.
   */
  constructor(loop: EventLoop, fd: number, isWatched = false) {
    this.#loop = loop;
    this.#fd = fd;
    try {
      if (isWatched) loop.hand(fd, this);
      else loop.add(fd, this);
    } catch (error) {
      loop.calls.close(fd);
      throw error;
    }
  }

  /** The descriptor; -1 when it is closed. */
  protected get fd(): number {
    return this.#fd;
  }

  protected get calls(): SocketCalls {
    return this.#loop.calls;
  }

  /** Whether the peer's side has ended, failed or sent urgent bytes: then there may be more behind a short read. */
  protected get readsShort(): boolean {
    return this.#readsShort;
  }

  /** Reads what is there. @returns bytes; 0 at the end; {@linkcode LATER}. @throws What the socket failed with. */
  protected abstract attemptRead(into: Uint8Array): number;
  /** Writes what there is room for. @returns bytes, or {@linkcode LATER}. @throws What the socket failed with. */
  protected abstract attemptWrite(bytes: Uint8Array): number;

  /** There was less than asked for: the next attempt waits for the kernel's word. */
  protected drained(): void {
    this.#readable = false;
  }

  read(into: Uint8Array): Soon<number | null> {
    if (this.#fd < 0) return Promise.reject(closedError());
    if (this.#readable && this.#hasTurn()) {
      try {
        const count = this.#take(into);
        if (count !== LATER) return count === 0 ? null : count;
      } catch (error) {
        return Promise.reject(error);
      }
    }
    this.#into = into;
    return new Promise(this.#awaitRead);
  }

  write(bytes: Uint8Array): Soon<number> {
    if (this.#fd < 0) return Promise.reject(closedError());
    if (this.#writable) {
      try {
        const count = this.#put(bytes);
        if (count !== LATER) return count;
      } catch (error) {
        return Promise.reject(error);
      }
    }
    this.#bytes = bytes;
    return new Promise(this.#awaitWrite);
  }

  writeNow(bytes: Uint8Array): number {
    if (this.#fd < 0) throw closedError();
    return this.#writable ? Math.max(0, this.#put(bytes)) : 0;
  }

  afterPass(fn: () => void): boolean {
    return this.#loop.afterPass(fn);
  }

  abstract closeWrite(): Promise<void>;

  abstract close(): void;

  /** Closes the descriptor; what waits fails. @returns whether it was open. */
  protected release(): boolean {
    const fd = this.#fd;
    if (fd < 0) return false;
    this.#loop.forget(fd);
    this.#loop.calls.close(fd);
    this.#fail();
    return true;
  }

  /** The descriptor is not its own any more; what waits fails. */
  protected letGo(): void {
    this.#loop.remove(this.#fd);
    this.#fail();
  }

  #fail(): void {
    this.#fd = -1;
    if (this.#into) this.#failRead(closedError());
    if (this.#bytes) this.#failWrite(closedError());
  }

  onReady(events: number): void {
    if ((events & (ENDED | URGENT)) !== 0) {
      this.#readsShort = true;
      if ((events & OVER) !== 0) {
        this.isOver = true;
        this.onOver?.();
      }
    }
    if ((events & READABLE) !== 0) {
      this.#readable = true;
      if (this.#into) this.onTurn();
    }
    if ((events & WRITABLE) !== 0) {
      this.#writable = true;
      if (this.#bytes) this.#writeOn(this.#bytes);
    }
  }

  /** The read that waits is tried. */
  onTurn(): void {
    const into = this.#into;
    if (!into || !this.#hasTurn()) return;
    try {
      const count = this.#take(into);
      if (count === LATER) return;
      this.#into = undefined;
      this.#resolveRead!(count === 0 ? null : count);
    } catch (error) {
      this.#failRead(error);
    }
  }

  /** Whether this one may read on in this pass; if not, its turn comes in the next one. */
  #hasTurn(): boolean {
    if (this.#pass !== this.#loop.pass) {
      this.#pass = this.#loop.pass;
      this.#read = 0;
    } else if (this.#read >= READ_PER_PASS) {
      this.#loop.again(this);
      return false;
    }
    return true;
  }

  /** An attempt to read, and what it says of the next one. @throws Also what a write failed with, in place of an end. */
  #take(into: Uint8Array): number {
    const count = this.attemptRead(into);
    if (count === LATER) this.#readable = false;
    else if (count > 0) this.#read += count;
    else if (this.#failure !== undefined) throw this.#failure;
    return count;
  }

  /** An attempt to write, and what it says of the next one. */
  #put(bytes: Uint8Array): number {
    try {
      const count = this.attemptWrite(bytes);
      if (count !== bytes.length) this.#writable = false;
      return count;
    } catch (error) {
      if (errorCode(error) !== "EPIPE") this.#failure = error; // that one alone leaves what came whole
      throw error;
    }
  }

  #writeOn(bytes: Uint8Array): void {
    try {
      const count = this.#put(bytes);
      if (count === LATER) return;
      this.#bytes = undefined;
      this.#resolveWrite!(count);
    } catch (error) {
      this.#failWrite(error);
    }
  }

  readonly #awaitRead = (resolve: (count: number | null) => void, reject: (error: unknown) => void): void => {
    this.#resolveRead = resolve;
    this.#rejectRead = reject;
  };

  readonly #awaitWrite = (resolve: (count: number) => void, reject: (error: unknown) => void): void => {
    this.#resolveWrite = resolve;
    this.#rejectWrite = reject;
  };

  #failRead(error: unknown): void {
    if (!this.#into) return;
    this.#into = undefined;
    this.#rejectRead!(error);
  }

  #failWrite(error: unknown): void {
    if (!this.#bytes) return;
    this.#bytes = undefined;
    this.#rejectWrite!(error);
  }
}

/** Reads and writes on a connected socket, which it owns; see {@linkcode Stream}. */
export abstract class SocketStream extends Stream {
  /** Its own end is told, or there is nothing that a close could reset for. */
  protected needsNoEnd = false;

  /** See {@linkcode Connection.whenReset}; of a Unix socket also when its peer has closed as a whole, which it tells. */
  whenReset(fn: () => void): void {
    const look = () => {
      if (this.onOver !== look || this.fd < 0 || !this.isGone()) return;
      this.onOver = undefined;
      fn();
    };
    this.onOver = look;
    if (this.isOver) queueMicrotask(look); // else the kernel has said nothing, and to ask it costs a system call
  }

  /** Whether nobody is there any more, when the kernel has said that it may be so. */
  protected isGone(): boolean {
    return this.isOver;
  }

  protected attemptRead(into: Uint8Array): number {
    const { calls, fd } = this;
    for (;;) {
      const count = calls.recvNow(fd, into as Uint8Array<ArrayBuffer>, into.length, 0);
      if (count >= 0) {
        if (count === 0) this.needsNoEnd = true;
        if (count < into.length && !this.readsShort) this.drained();
        return count;
      }
      const errno = calls.errno();
      if (errno === EAGAIN) return LATER;
      if (errno !== EINTR) throw socketError(errno);
    }
  }

  protected attemptWrite(bytes: Uint8Array): number {
    const { calls, fd } = this;
    for (;;) {
      const count = calls.sendNow(fd, bytes as Uint8Array<ArrayBuffer>, bytes.length, MSG_NOSIGNAL);
      if (count >= 0) return count;
      const errno = calls.errno();
      if (errno === EAGAIN) return LATER;
      if (errno !== EINTR) throw socketError(errno);
    }
  }
}
