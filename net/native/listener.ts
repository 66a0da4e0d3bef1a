/**
 * A socket of the kernel's own that listens, and what comes in at it.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import type { Address } from "../../protocol/address.ts";
import { closedError, EAGAIN, EINTR, socketError } from "../kernel/errno.ts";
import { CLOEXEC, NONBLOCK } from "../kernel/libc.ts";
import { AddressRoom, localAddressOf } from "../kernel/socket_address.ts";
import type { ListeningSocket, Soon } from "../socket.ts";
import type { EventLoop, Waiting, Watcher } from "./event_loop.ts";
import { ACCEPTS_MS, ACCEPTS_PER_PASS } from "./limits.ts";

const room = new AddressRoom();

/** A listening socket; it owns the descriptor. */
export class NativeListener<S> implements ListeningSocket<S>, Watcher, Waiting {
  readonly address: Address;
  readonly #loop: EventLoop;
  readonly #made: (fd: number, peer: AddressRoom) => S;
  #fd: number;
  #ready = true;
  #pass = -1;
  #accepted = 0;
  #until = 0; // in this pass, in milliseconds
  #waiting: PromiseWithResolvers<S> | undefined;

  /** Takes over `fd`, which listens; `made` is given what is accepted, and where the address of its peer is until the next. */
  constructor(loop: EventLoop, fd: number, made: (fd: number, peer: AddressRoom) => S, address?: Address) {
    this.#loop = loop;
    this.#fd = fd;
    this.#made = made;
    try {
      loop.add(fd, this);
    } catch (error) {
      loop.calls.close(fd);
      throw error;
    }
    this.address = address ?? localAddressOf(loop.calls, fd);
  }

  accept(): Soon<S> {
    if (this.#fd < 0) return Promise.reject(closedError());
    if (this.#ready && this.#hasTurn()) {
      const socket = this.#attempt();
      if (socket) return socket;
    }
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  close(): void {
    const fd = this.#fd;
    if (fd < 0) return;
    this.#fd = -1;
    this.#loop.forget(fd);
    this.#loop.calls.close(fd);
    this.#take()?.reject(closedError());
  }

  onReady(): void {
    this.#ready = true;
    this.onTurn();
  }

  onTurn(): void {
    if (!this.#waiting || !this.#hasTurn()) return;
    try {
      const socket = this.#attempt();
      if (socket) this.#take()!.resolve(socket);
    } catch (error) {
      this.#take()?.reject(error);
    }
  }

  #take(): PromiseWithResolvers<S> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #hasTurn(): boolean {
    if (this.#pass !== this.#loop.pass) {
      this.#pass = this.#loop.pass;
      this.#accepted = 0;
      this.#until = systemClock.now() + ACCEPTS_MS;
    } else if (this.#accepted >= ACCEPTS_PER_PASS || systemClock.now() >= this.#until) {
      this.#loop.again(this);
      return false;
    }
    return true;
  }

  /** @throws What accept fails with: the next one may still go well. */
  #attempt(): S | undefined {
    const { calls } = this.#loop;
    for (;;) {
      const { bytes, size } = room.reset();
      const fd = calls.accept4(this.#fd, bytes, size, NONBLOCK | CLOEXEC);
      if (fd >= 0) {
        this.#accepted++;
        return this.#made(fd, room);
      }
      const errno = calls.errno();
      if (errno === EAGAIN) {
        this.#ready = false;
        return undefined;
      }
      if (errno !== EINTR) throw socketError(errno);
    }
  }
}
