/**
 * A kernel in memory, as far as the native engine asks: TCP between its own sockets, and readiness by edges. It fails
 * where a seed says so. No tests here.
 *
 * @module
 */

import type { SocketCalls } from "./calls.ts";
import { EAGAIN, EINPROGRESS, EINTR } from "../kernel/errno.ts";
import { THIS_MACHINE } from "./machine.ts";
import {
  Bell,
  type Buffer,
  bytesOf,
  EBADF,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  ENOTCONN,
  EPIPE,
  ETIMEDOUT,
  FAULTS,
  IS_LITTLE_ENDIAN,
  nameInto,
  portIn,
  Sock,
  Thing,
  wordsAt,
} from "./_fake_socks_test.ts";
import type { Random } from "../../tests/rig/random.ts";

/** See the module. */
export class FakeKernel implements SocketCalls {
  /** Closes of what was not open. */
  readonly wrongCloses: number[] = [];
  /** How often each call was made. */
  readonly count: Record<string, number> = {};
  /** What `listen`, and a timer, were given. */
  backlog = 0;
  timer = 0n;
  /** The most events that were asked for, and given, at once. */
  asked = 0;
  given = 0;
  /** Whether waits on another thread have a thread, and whether what they found is told. */
  hasThreads = true;
  isHeldBack = false;
  /** Waits that find something, after which a timer rings that was set. */
  passesPerTurn = Infinity;
  /** Whether a connect waits for {@linkcode FakeKernel.settle}. */
  connectsSlowly = false;

  readonly #random: Random | undefined;
  readonly #oneIn: number;
  readonly #stride: number; // in words, of a `struct epoll_event`
  readonly #things = new Map<number, Thing>();
  readonly #ports = new Map<number, Sock>();
  #errno = 0;
  #clock: Bell | undefined;
  #free: () => void = () => {};
  #passes = 0;
  #aside: { into: Int32Array; max: number; resolve: (count: number) => void } | undefined;

  /** Without a seed nothing fails; with one, a call does once in `oneIn` times. */
  constructor(random?: Random, oneIn = 8, isPacked: boolean = THIS_MACHINE.isPacked) {
    this.#random = random;
    this.#oneIn = oneIn;
    this.#stride = isPacked ? 3 : 4;
  }

  /** Descriptors that are open. */
  get open(): number {
    return this.#things.size;
  }

  /** What is behind a descriptor. */
  sock(fd: number): Sock {
    const thing = this.#things.get(fd);
    if (!(thing instanceof Sock)) throw new Error(`${fd} is no socket`);
    return thing;
  }

  /** The sockets, oldest descriptor first. */
  get socks(): [fd: number, sock: Sock][] {
    return [...this.#things].filter((entry): entry is [number, Sock] => entry[1] instanceof Sock)
      .toSorted(([a], [b]) => a - b);
  }

  /** Something is new about `thing`. */
  raise(thing: Thing): void {
    if (!thing.interest) return;
    thing.interest.isReady = true;
    this.#answerAside();
  }

  /** What a connect that is under way comes to. */
  settle(sock: Sock, errno: number): void {
    if (sock.state !== "connecting") return; // it was closed meanwhile
    const listening = this.#ports.get(sock.port);
    sock.error = errno || (listening ? 0 : ECONNREFUSED);
    if (sock.error) sock.state = "dead";
    else this.#establish(sock, listening!);
    this.raise(sock);
  }

  /** Bytes come, from nowhere. */
  feed(sock: Sock, bytes: Uint8Array): void {
    sock.inbox.push(bytes.slice());
    sock.fill += bytes.length;
    this.raise(sock);
  }

  readonly errno = (): number => this.#errno;
  readonly epoll_create1 = (): number => this.#fails("epoll_create1") ? -1 : this.#allot(new Thing());
  readonly eventfd = (): number => this.#fails("eventfd") ? -1 : this.#allot(new Bell());

  readonly timerfd_create = (): number => {
    if (this.#fails("timerfd_create")) return -1;
    return this.#allot(this.#clock = new Bell());
  };

  readonly timerfd_settime = (_fd: number, _flags: number, spec: Buffer): number => {
    this.timer = new DataView(bytesOf(spec).buffer).getBigInt64(24, IS_LITTLE_ENDIAN);
    this.#clock!.rings = false;
    return 0;
  };

  readonly write = (fd: number): bigint => {
    const bell = this.#things.get(fd);
    if (bell instanceof Bell) bell.rings = true;
    if (bell) this.raise(bell);
    return 8n;
  };

  readonly epoll_ctl = (_epoll: number, operation: number, fd: number, event: Buffer): number => {
    const thing = this.#things.get(fd);
    if (!thing) return this.#fail(EBADF);
    if (operation === 2) {
      thing.interest = undefined;
      return 0;
    }
    if (this.#fails("epoll_ctl")) return -1;
    const words = new Int32Array(bytesOf(event).buffer);
    thing.interest = { data: words[this.#stride - 2]!, isReady: true };
    this.raise(thing);
    return 0;
  };

  readonly epoll_wait = (_epoll: number, events: Deno.PointerValue, max: number, ms: number): number => {
    this.#counted("epoll_wait");
    if (this.#fails("epoll_wait")) return -1;
    const into = wordsAt(events, max, this.#stride);
    if (++this.#passes % this.passesPerTurn === 0) this.#ring();
    let count = this.#take(into, max);
    if (count === 0 && ms !== 0) { // then time goes by
      this.#ring();
      count = this.#take(into, max);
    }
    return count;
  };

  readonly epoll_wait_aside = (
    _epoll: number,
    events: Deno.PointerValue,
    max: number,
    ms: number,
  ): Promise<number> => {
    this.#counted("epoll_wait");
    const into = wordsAt(events, max, this.#stride);
    if (!this.hasThreads) return new Promise((resolve) => this.#free = () => resolve(this.#take(into, max)));
    if (ms === 0) return later(() => this.#take(into, max));
    return new Promise((resolve) => {
      this.#aside = { into, max, resolve };
      this.#answerAside();
    });
  };

  readonly malloc_trim = (): number => {
    this.#counted("malloc_trim");
    return 1;
  };

  readonly socket = (): number => this.#fails("socket") ? -1 : this.#allot(new Sock());

  readonly bind = (fd: number, address: Buffer): number => {
    if (this.#fails("bind")) return -1;
    this.sock(fd).port = portIn(address) || 40_000 + fd;
    return 0;
  };

  readonly listen = (fd: number, backlog: number): number => {
    if (this.#fails("listen")) return -1;
    const sock = this.sock(fd);
    this.backlog = backlog;
    sock.state = "listening";
    this.#ports.set(sock.port, sock);
    return 0;
  };

  readonly connect = (fd: number, address: Buffer): number => {
    const sock = this.sock(fd);
    sock.port = portIn(address);
    sock.state = "connecting";
    const fault = this.#fault("connect");
    if (fault !== 0 && fault !== EINTR && fault !== EINPROGRESS) return this.#fail(fault);
    if (this.connectsSlowly) return this.#fail(EINPROGRESS);
    if (fault !== 0) {
      setTimeout(() => this.settle(sock, this.#random!.oneIn(3) ? ETIMEDOUT : 0), 0);
      return this.#fail(fault);
    }
    const listening = this.#ports.get(sock.port);
    if (!listening) return this.#fail(ECONNREFUSED);
    this.#establish(sock, listening);
    return 0;
  };

  readonly accept4 = (fd: number, address: Buffer, size: Buffer): number => {
    this.#counted("accept4");
    const listening = this.sock(fd);
    if (listening.backlog.length === 0) return this.#fail(EAGAIN);
    const fault = this.#fault("accept4");
    if (fault === EAGAIN) this.raise(listening);
    if (fault === ECONNABORTED) this.#kill(listening.backlog.shift()!, ECONNRESET);
    if (fault !== 0) return this.#fail(fault);
    new Uint32Array(bytesOf(size).buffer)[0] = 16;
    nameInto(address, 1);
    return this.#allot(listening.backlog.shift()!);
  };

  readonly getsockname = (fd: number, address: Buffer): number => {
    if (this.#fails("getsockname")) return -1;
    nameInto(address, this.sock(fd).port);
    return 0;
  };

  readonly getpeername = (fd: number): number => this.sock(fd).state === "open" ? 0 : this.#fail(ENOTCONN);

  readonly recvNow = (fd: number, buffer: Buffer, size: number): number => {
    this.#counted("recv");
    const sock = this.#find(fd);
    if (!sock) return this.#fail(EBADF);
    const fault = this.#fault("recv");
    if (fault === EAGAIN) this.raise(sock);
    if (fault === ECONNRESET || fault === ETIMEDOUT) this.#kill(sock, ECONNRESET, 0);
    if (fault !== 0) return this.#fail(fault);
    if (sock.endless) return size;
    if (sock.fill === 0) return this.#emptyRead(sock);
    const into = bytesOf(buffer);
    const max = this.#random && this.#random.oneIn(2) ? 1 + this.#random.upTo(size - 1) : size;
    let count = 0;
    for (let first; count < max && (first = sock.inbox[0]);) {
      const part = first.subarray(0, max - count);
      into.set(part, count);
      count += part.length;
      if (part.length === first.length) sock.inbox.shift();
      else sock.inbox[0] = first.subarray(part.length);
    }
    sock.fill -= count;
    if (sock.fill > 0) this.raise(sock); // as if the rest had come just now
    if (sock.peer) this.raise(sock.peer);
    return count;
  };

  readonly sendNow = (fd: number, buffer: Buffer, size: number): number => {
    this.#counted("send");
    const sock = this.#find(fd);
    if (!sock) return this.#fail(EBADF);
    let fault = this.#fault("send");
    if (fault === EPIPE && !sock.ended) fault = ECONNRESET; // the other one is for those who were told the end before
    if (fault === EAGAIN) this.raise(sock);
    if (fault === ECONNRESET || fault === EPIPE) this.#kill(sock, ECONNRESET, 0);
    if (fault !== 0) return this.#fail(fault);
    if (sock.error) return this.#fail(this.#takeError(sock));
    if (sock.finished || sock.state !== "open" || !sock.peer) return this.#fail(EPIPE);
    if (sock.peer.isClosed) { // it answers with a reset
      this.#kill(sock, 0);
      return this.#fail(sock.ended ? EPIPE : ECONNRESET);
    }
    const room = Math.min(size, sock.peer.room - sock.peer.fill);
    if (size > 0 && room <= 0) return this.#fail(EAGAIN);
    const count = size > 0 && this.#random?.oneIn(2) ? 1 + this.#random.upTo(room - 1) : room;
    if (count < room) this.raise(sock); // as if the room had come just now
    if (count > 0) this.feed(sock.peer, bytesOf(buffer).subarray(0, count));
    return count;
  };

  readonly shutdown = (fd: number): number => {
    const sock = this.#find(fd);
    if (!sock) return this.#fail(EBADF);
    if (this.#fails("shutdown")) return -1;
    if (sock.state !== "open") return this.#fail(ENOTCONN);
    this.#finish(sock);
    return 0;
  };

  readonly setsockopt = (fd: number, _level: number, option: number, value: Buffer): number => {
    const sock = this.#find(fd);
    if (!sock) return this.#fail(EBADF);
    if (option === 13) sock.resets = new Int32Array(bytesOf(value).buffer)[0] === 1;
    return this.#fails("setsockopt") ? -1 : 0;
  };

  readonly getsockopt = (fd: number, _level: number, option: number, value: Buffer): number => {
    const sock = this.#find(fd);
    if (!sock) return this.#fail(EBADF);
    if (option === 4) new Int32Array(bytesOf(value).buffer)[0] = this.#takeError(sock);
    else if (this.#fails("getsockopt")) return -1;
    return 0;
  };

  readonly ioctl = (fd: number): number => this.#find(fd) && !this.#fails("ioctl") ? 0 : this.#fail(EBADF);

  readonly close = (fd: number): number => {
    const thing = this.#things.get(fd);
    if (!thing) this.wrongCloses.push(fd);
    this.#things.delete(fd);
    if (thing) thing.interest = undefined;
    if (thing instanceof Sock) this.#release(thing);
    return thing && !this.#random?.oneIn(10) ? 0 : this.#fail(EINTR); // it is closed all the same
  };

  /** Whether a wait is under way on another thread. */
  get isWaiting(): boolean {
    return this.#aside !== undefined;
  }

  /** Waits that had no thread have one. */
  freeThreads(): void {
    this.hasThreads = true;
    this.#free();
  }

  #ring(): void {
    this.#clock!.rings = true;
    this.raise(this.#clock!);
  }

  #release(sock: Sock): void {
    if (sock.state === "listening") {
      this.#ports.delete(sock.port);
      for (const waiting of sock.backlog) this.#kill(waiting, ECONNRESET);
    } else if (sock.resets || sock.fill > 0) this.#kill(sock, ECONNRESET, 0);
    else this.#finish(sock);
    sock.state = "dead";
    sock.isClosed = true;
  }

  #finish(sock: Sock): void {
    if (sock.finished) return;
    sock.finished = true;
    if (!sock.peer) return;
    sock.peer.ended = true;
    this.raise(sock.peer);
    this.raise(sock);
  }

  /** A connection is lost: `theirs` is what its peer reads, `own` what it does. */
  #kill(sock: Sock, theirs: number, own = theirs): void {
    const { peer } = sock;
    for (const [end, errno] of [[sock, own], [peer, theirs]] as const) {
      if (!end || end.state === "dead") continue;
      end.state = "dead";
      // What it has of an end in order is no failure any more.
      end.error = end.ended && end === peer && end.finished ? 0 : errno;
      this.raise(end);
    }
  }

  #emptyRead(sock: Sock): number {
    if (sock.ended) return 0;
    if (sock.error) return this.#fail(this.#takeError(sock));
    return sock.state === "dead" ? 0 : this.#fail(EAGAIN);
  }

  #establish(sock: Sock, listening: Sock): void {
    const other = new Sock();
    if (this.#random) [sock.room, other.room] = [1 + this.#random.upTo(50_000), 1 + this.#random.upTo(50_000)];
    [sock.state, sock.peer, other.state, other.peer] = ["open", other, "open", sock];
    other.resets = listening.resets;
    listening.backlog.push(other);
    this.raise(listening);
  }

  #take(into: Int32Array, max: number): number {
    this.asked = Math.max(this.asked, max);
    let count = 0;
    for (const thing of this.#things.values()) {
      const { interest, mask } = thing;
      if (!interest?.isReady || count === max) continue;
      interest.isReady = false;
      if (mask === 0) continue;
      into[count * this.#stride] = mask;
      into[count * this.#stride + this.#stride - 2] = interest.data;
      count++;
    }
    this.given = Math.max(this.given, count);
    return count;
  }

  /** What another thread finds is taken now, and told later: meanwhile this one goes on. */
  #answerAside(): void {
    if (!this.#aside || this.isHeldBack) return;
    const { into, max, resolve } = this.#aside;
    const count = this.#take(into, max);
    if (count === 0) return;
    this.#aside = undefined;
    setTimeout(() => resolve(count), 0);
  }

  /** What another thread finds now is told when the result is called. */
  holdBack(): () => void {
    const aside = this.#aside!;
    this.#aside = undefined;
    const count = this.#take(aside.into, aside.max);
    return () => aside.resolve(count);
  }

  #allot(thing: Thing): number {
    let fd = 3;
    while (this.#things.has(fd)) fd++; // the lowest, as ever
    this.#things.set(fd, thing);
    return fd;
  }

  #find(fd: number): Sock | undefined {
    const thing = this.#things.get(fd);
    return thing instanceof Sock ? thing : undefined;
  }

  #takeError(sock: Sock): number {
    const { error } = sock;
    sock.error = 0;
    return error;
  }

  #fault(call: string): number {
    const random = this.#random;
    if (!random?.oneIn(this.#oneIn)) return 0;
    const [first, ...others] = FAULTS[call] ?? [];
    return first === undefined ? 0 : random.of(first, ...others);
  }

  #fails(call: string): boolean {
    const errno = this.#fault(call);
    if (errno !== 0) this.#fail(errno);
    return errno !== 0;
  }

  #fail(errno: number): number {
    this.#errno = errno;
    return -1;
  }

  #counted(call: string): void {
    this.count[call] = (this.count[call] ?? 0) + 1;
  }
}

function later<T>(fn: () => T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(fn()), 0));
}
