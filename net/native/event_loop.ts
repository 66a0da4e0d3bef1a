/**
 * The kernel's readiness (epoll(7), edge triggered), within the runtime's own event loop and on its thread.
 *
 * While there is something to do, this loop waits for the kernel itself: a pass is one system call, or several where much has
 * come, and promises that each of them settles run before the next one. After a turn of that, the runtime has its own:
 * timers, files, signals, its own sockets. A turn that has taken {@linkcode FULL_TURN_MS} ends amid its pass.
 * A turn is short ({@linkcode SHORT_TURN_US}) while little comes, as that may be answered by one of those, and longer each
 * time, up to {@linkcode TURN_US}, while there is much. If nothing came in a turn, the wait goes on on another thread, for as
 * long as it takes; what comes then costs the waking of a thread more. The kernel's timer (timerfd) ends a turn: a deadline of each wait
 * would cost as much as all the rest of a pass. How the runtime has its own turn between two: {@linkcode Doorbell}.
 *
 * @module
 */

import { nextTick } from "node:process";
import { Doorbell } from "./doorbell.ts";
import { CLOEXEC, NONBLOCK } from "../kernel/libc.ts";
import {
  AGAIN_PER_PASS,
  BUSY_PASS_US,
  EVENTS_PER_PASS,
  EVENTS_PER_WAIT,
  FULL_TURN_MS,
  SHORT_TURN_US,
  STUCK_POLL_MS,
  TURN_US,
} from "./limits.ts";
import { systemClock } from "../../base/clock.ts";
import type { SocketCalls } from "./calls.ts";
import { EINTR, socketError } from "../kernel/errno.ts";
import { THIS_MACHINE } from "./machine.ts";
import { SpareMemory } from "../kernel/spare_memory.ts";
import { TurnTimes } from "../turn_times.ts";

/** There is something to read, or an end. */
export const READABLE = 0x001 | 0x2000 | 0x010 | 0x008; // EPOLLIN, EPOLLRDHUP, EPOLLHUP, EPOLLERR
/** There is room to write, or an end. */
export const WRITABLE = 0x004 | 0x010 | 0x008; // EPOLLOUT, EPOLLHUP, EPOLLERR
/** The peer's side has ended, or the socket failed. */
export const ENDED = 0x2000 | 0x010 | 0x008;
/** Both sides have ended, or the socket failed. */
export const OVER = 0x010 | 0x008;
/** There are urgent bytes (EPOLLPRI): a read stops where they are, though there may be more behind. */
export const URGENT = 0x002;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const INTEREST = 0x80000000 | 0x001 | 0x002 | 0x004 | 0x2000; // EPOLLET, EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLRDHUP
/** What a watcher hears of that does not read to the end each time: no edges, but as long as there is something to read. */
export const WHILE_READABLE = 0x001;
const CLOCK_MONOTONIC = 1;

/** How long turns are, in microseconds, each twice as long as the one before. */
const TURN_LENGTHS = turnLengths();
/** The same, each as a `struct itimerspec`: once, after that. */
const TURNS = TURN_LENGTHS.map((us) => new Uint8Array(BigInt64Array.of(0n, 0n, 0n, BigInt(us) * 1_000n).buffer));

function turnLengths(): number[] {
  const lengths: number[] = [];
  for (let us = SHORT_TURN_US; us < TURN_US; us *= 2) lengths.push(us);
  return [...lengths, TURN_US];
}

/** Whose descriptor it is. */
export interface Watcher {
  /** Something may have changed: the bits say what. It may be a hint that proves wrong. */
  onReady(events: number): void;
}

/** What still wants its turn, as it has had its part of this one. */
export interface Waiting {
  /** Its turn. */
  onTurn(): void;
}

/** The loop of a process. It runs while somebody watches, and keeps the process alive as long. */
export class EventLoop {
  readonly calls: SocketCalls;
  readonly #epoll: number;
  readonly #wakeup: number;
  readonly #timer: number;
  readonly #watchers = new Map<number, Watcher>();
  readonly #events = new Int32Array(EVENTS_PER_WAIT * 4);
  readonly #pointer = Deno.UnsafePointer.of(this.#events);
  readonly #spare = new Int32Array(EVENTS_PER_WAIT * 4); // while the other is lent to another thread
  readonly #sparePointer = Deno.UnsafePointer.of(this.#spare);
  readonly #stride: number; // of a `struct epoll_event`, in words
  readonly #runPromises: (() => void) | undefined;
  /** How long its turns are. */
  readonly times = new TurnTimes();
  readonly #spareMemory: SpareMemory;
  readonly #doorbell = new Doorbell();
  readonly #record: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array;
  #again: Waiting[] = [];
  #going: Waiting[] = []; // those of this pass, the next one last
  #after: (() => void)[] = []; // what is due at the end of the pass
  #state: "off" | "due" | "turn" | "aside" = "off"; // aside: a wait is under way on another thread
  #cancelPoll: (() => void) | undefined;
  #passes = 0;
  #isMidPass = false; // the kernel, or `#going`, may have more for this pass
  #taken = 0; // events of this pass
  #isTimeUp = false;
  #length = 0; // of the turn, as in `TURNS`
  #busy = 0; // passes of the turn that had something to do
  #isBusy = false; // whether the last one had
  #since = -1; // when the turn began, in milliseconds; -1: there is none

  /** @throws If the kernel gives no descriptors. */
  constructor(calls: SocketCalls, { isPacked, runPromises } = THIS_MACHINE) {
    this.calls = calls;
    this.#stride = isPacked ? 3 : 4;
    this.#runPromises = runPromises;
    this.#spareMemory = new SpareMemory(calls);
    this.#record = new Uint8Array(this.#stride * 4);
    this.#words = new Int32Array(this.#record.buffer);
    const opened: number[] = [];
    try {
      const open = (fd: number) => {
        if (fd < 0) throw socketError(calls.errno());
        opened.push(fd);
        return fd;
      };
      this.#epoll = open(calls.epoll_create1(CLOEXEC));
      this.#wakeup = open(calls.eventfd(0, NONBLOCK | CLOEXEC));
      this.#timer = open(calls.timerfd_create(CLOCK_MONOTONIC, NONBLOCK | CLOEXEC));
      this.#control(EPOLL_CTL_ADD, this.#wakeup);
      this.#control(EPOLL_CTL_ADD, this.#timer);
    } catch (error) {
      for (const fd of opened) calls.close(fd);
      throw error;
    }
  }

  /** Passes so far: what had its part of one waits for the next. */
  get pass(): number {
    return this.#passes;
  }

  /** Descriptors that are watched. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Watches a descriptor until {@linkcode EventLoop.remove}, for edges by default. @throws If the kernel cannot. */
  add(fd: number, watcher: Watcher, interest = INTEREST): void {
    this.#control(EPOLL_CTL_ADD, fd, interest);
    this.#watchers.set(fd, watcher);
    if (!this.#cancelPoll) {
      this.#cancelPoll = systemClock.after(STUCK_POLL_MS, this.#pollNow);
      this.#doorbell.open();
    }
    this.#start();
  }

  /** The events of a descriptor that is watched are another's from now on. */
  hand(fd: number, watcher: Watcher): void {
    this.#watchers.set(fd, watcher);
  }

  /** Watches it no more; it is about to be closed, which takes it from the kernel's list. */
  forget(fd: number): void {
    if (this.#watchers.delete(fd) && this.#watchers.size === 0) this.#stop();
  }

  /** Watches it no more; it stays open. */
  remove(fd: number): void {
    if (!this.#watchers.delete(fd)) return;
    this.#record.fill(0);
    this.calls.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd, this.#record);
    if (this.#watchers.size === 0) this.#stop();
  }

  /** `waiting` has its turn in the next pass, which does not wait for the kernel. */
  again(waiting: Waiting): void {
    this.#again.push(waiting);
    if (this.#state === "aside") this.#wake();
    else this.#start();
  }

  /** Calls `fn` at the end of the pass, when its promises have run. @returns whether there is a pass now. */
  afterPass(fn: () => void): boolean {
    if (this.#state !== "turn") return false;
    this.#after.push(fn);
    return true;
  }

  /** Resolves when no wait is under way on another thread: for tests, once nothing is watched. */
  async quiet(): Promise<void> {
    while (this.#state !== "off") await new Promise<void>((resolve) => systemClock.soon(resolve));
    await this.#doorbell.close();
  }

  #control(operation: number, fd: number, interest = INTEREST): void {
    this.#words[0] = interest;
    this.#words[this.#stride === 3 ? 1 : 2] = fd;
    if (this.calls.epoll_ctl(this.#epoll, operation, fd, this.#record) !== 0) throw socketError(this.calls.errno());
  }

  #start(): void {
    if (this.#state !== "off") return;
    this.#state = "due";
    setImmediate(this.#turn);
  }

  /** A turn that has ended early goes on with the runtime's next one, if there is anything to go on with. */
  #restart(): void {
    if (this.#endTurn()) this.#doorbell.ring(this.#turn);
  }

  #stop(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
    if (this.#state === "aside") this.#wake();
    this.#doorbell.close();
  }

  #wake(): void {
    this.calls.write(this.#wakeup, ONE, 8n);
  }

  /** A turn of the runtime's loop: passes, until there is nothing to do or it has been long enough. */
  readonly #turn = (): void => {
    this.#state = "turn";
    if (this.#since < 0) this.#since = systemClock.now();
    const { calls } = this;
    const runPromises = this.#runPromises;
    calls.timerfd_settime(this.#timer, 0, TURNS[this.#length]!, null);
    this.#isTimeUp = false;
    this.#busy = 0;
    while (!this.#isTimeUp) {
      const wait = this.#isMidPass || this.#again.length + this.#after.length > 0 ? 0 : -1;
      const count = calls.epoll_wait(this.#epoll, this.#pointer, EVENTS_PER_WAIT, wait);
      if (count < 0 && calls.errno() !== EINTR) throw socketError(calls.errno());
      this.#dispatch(count, this.#events);
      // Without that door, a pass with something to do is a turn of the runtime's.
      if (!runPromises && (this.#isBusy || this.#again.length > 0)) return this.#restart();
      runPromises?.();
      if (runPromises && this.#after.length > 0) {
        this.#endPass(); // also of a part of a pass: the other end works meanwhile
        runPromises();
      }
      if (this.#isMidPass) {
        if (systemClock.now() - this.#since >= FULL_TURN_MS) break;
        continue;
      }
      if (this.#watchers.size === 0) return this.#restart();
    }
    if (!this.#endTurn()) return;
    const isIdle = this.#busy === 0 && this.#again.length === 0 && !this.#isMidPass;
    this.#length = this.#nextLength();
    if (isIdle) return this.#wait();
    this.#doorbell.ring(this.#turn);
  };

  /** A turn is longer than the one before if that was busy all along, and as short as can be if it was not at all. */
  #nextLength(): number {
    const length = this.#length;
    if (this.#busy === 0 && !this.#isBusy) return 0;
    if (this.#busy > 1 && this.#busy * BUSY_PASS_US >= TURN_LENGTHS[length]!) {
      return Math.min(length + 1, TURNS.length - 1);
    }
    return Math.max(0, length - 1);
  }

  #endPass(): void {
    const due = this.#after;
    this.#after = [];
    for (const fn of due) fn();
  }

  /** The turn is over, and with it its last pass. @returns whether another one is to follow. */
  #endTurn(): boolean {
    this.#state = "due"; // from here on nothing waits for the end of a pass
    this.#endPass();
    this.#told();
    if (this.#watchers.size > 0 || this.#again.length + this.#going.length > 0) return true;
    this.#state = "off";
    return false;
  }

  /** Waits on another thread for as long as nothing comes, so that the runtime's loop goes on. */
  #wait(): void {
    this.#state = "aside";
    this.calls.epoll_wait_aside(this.#epoll, this.#pointer, EVENTS_PER_WAIT, -1).then((count) => {
      const since = systemClock.now();
      this.#dispatch(count, this.#events);
      if (!this.#endTurn()) return;
      this.#since = since; // what has come, and the turn that it leads to, are one
      nextTick(this.#turn); // the runtime has had its own meanwhile
    });
  }

  #told(): void {
    if (this.#since >= 0) this.times.add(systemClock.now() - this.#since);
    this.#since = -1;
  }

  /** The threads of the runtime may all be busy: then nothing would be seen until one is free. */
  readonly #pollNow = (): void => {
    this.#cancelPoll = systemClock.after(STUCK_POLL_MS, this.#pollNow);
    this.#spareMemory.look(this.#passes);
    this.#doorbell.look();
    this.#doorbell.open(); // it may have been cut, or not to be had
    this.#poll();
  };

  readonly #poll = (): void => {
    if (this.#state !== "aside") return;
    this.#dispatch(this.calls.epoll_wait(this.#epoll, this.#sparePointer, EVENTS_PER_WAIT, 0), this.#spare);
    if (this.#isMidPass) systemClock.soon(this.#poll);
  };

  /** A part of a pass, or the whole of it if there is not much. */
  #dispatch(count: number, events: Int32Array): void {
    if (!this.#isMidPass) {
      this.#passes++;
      this.#taken = 0;
      this.#isBusy = this.#again.length > 0;
      if (this.#isBusy) this.#going = this.#again.splice(0, AGAIN_PER_PASS).reverse();
    }
    const going = this.#going;
    for (let most = EVENTS_PER_WAIT; most > 0 && going.length > 0; most--) going.pop()!.onTurn();
    const stride = this.#stride;
    const fdAt = stride === 3 ? 1 : 2;
    for (let at = 0, end = count * stride; at < end; at += stride) {
      const fd = events[at + fdAt]!;
      const watcher = this.#watchers.get(fd);
      if (watcher) {
        this.#isBusy = true;
        watcher.onReady(events[at]!);
      } else if (fd === this.#timer) this.#isTimeUp = true;
    }
    this.#taken += Math.max(0, count);
    const hasMore = count === EVENTS_PER_WAIT && this.#taken < EVENTS_PER_PASS;
    this.#isMidPass = hasMore || going.length > 0;
    if (this.#isBusy && !this.#isMidPass) this.#busy++;
  }
}

const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);
