/**
 * One client of a line, as the connection that the relay joins with the client's own.
 *
 * @module
 */

import { closedError, LocalConnection } from "../../net/local_connection.ts";
import type { Clock } from "../../base/clock.ts";
import type { Soon } from "../../net/socket.ts";
import { MAX_SERIAL_WAITING, SERIAL_ANSWER_MS, SERIAL_READ_SIZE, TELNET_READ_SIZE } from "../limits.ts";
import type { LineErrors, ModemLines } from "../line/line.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { SessionHost } from "./com_port_session.ts";
import type { LineHub, Member } from "./hub.ts";
import { TelnetSide } from "./telnet_side.ts";

/** What a client is given. */
export interface ClientOptions {
  readonly hub: LineHub;
  readonly clock: Clock;
  /** Where it comes from, for people. */
  readonly address: string;
  /** What people call the line. */
  readonly name: string;
  readonly isTelnet: boolean;
  /** It is gone: whoever ended it. */
  onEnd(client: LineClient, why: string): void;
  /** It is slow: the first bytes were lost. */
  onLoss(client: LineClient): void;
}

interface Waiting<T> {
  readonly bytes: Uint8Array;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** A client that has a line, or watches it: what comes from the line is read here, what is written goes there. */
export class LineClient extends LocalConnection implements Member, SessionHost {
  readonly sharesTurns = true;
  readonly endsWhole = true;
  readonly address: string;
  /** When it came, in milliseconds since 1970. */
  readonly since: number;
  readonly hub: LineHub;

  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #queue = new ByteQueue(MAX_SERIAL_WAITING);
  readonly #telnet: TelnetSide | undefined;
  #part: "user" | "watcher" | undefined;
  #ended: "end" | "reset" | undefined; // of the line's side
  #hasEnded = false; // the client's own side
  #closed = false;
  #heard: number;
  #reading: Waiting<number | null> | undefined;
  #writing: Waiting<number> | undefined;
  #cancelAnswer: (() => void) | undefined;

  constructor(options: ClientOptions) {
    super();
    const { hub, clock, address, name, isTelnet } = options;
    this.#options = options;
    this.#clock = clock;
    this.hub = hub;
    this.address = address;
    this.since = clock.wall();
    this.#heard = clock.now();
    this.#telnet = isTelnet ? new TelnetSide(this, clock, name) : undefined;
  }

  /** Takes its place at the line. @throws {SerialError} if there is none. */
  async join(): Promise<void> {
    this.#part = await this.hub.join(this);
    this.#telnet?.open();
  }

  get isUser(): boolean {
    return this.#part === "user";
  }

  /** Bytes that it lost, as it was slow. */
  get lost(): number {
    return this.#queue.lost;
  }

  get room(): number {
    return this.#queue.room;
  }

  get isLeaving(): boolean {
    return this.#hasEnded && this.unacknowledged() === 0;
  }

  get wantsState(): boolean {
    return this.#telnet?.wantsState ?? false;
  }

  deliver(bytes: Uint8Array): void {
    this.#heard = this.#clock.now();
    const before = this.#queue.lost;
    if (this.#queue.push(bytes) > 0 && before === 0) this.#options.onLoss(this);
    this.#wakeRead();
  }

  tellState(modem: ModemLines, errors: LineErrors | undefined): void {
    this.#telnet?.tellState(modem, errors);
    this.#wakeRead();
  }

  proceed(): void {
    this.#telnet?.proceed();
    this.#wakeRead();
    this.#wakeWrite();
    if (this.#hasEnded) this.#awaitAnswer();
  }

  dropWaiting(): void {
    this.#queue.clear();
  }

  /** One that speaks telnet is told; others are reset, unless they have ended by themselves. */
  dismiss(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = this.#telnet || this.#hasEnded ? "end" : "reset";
    if (this.#telnet) this.#queue.push(new TextEncoder().encode(`\r\n[${why}]\r\n`));
    this.#leave(why);
    this.#wakeRead();
    this.#wakeWrite();
  }

  read(into: Uint8Array): Soon<number | null> {
    if (this.#closed) return Promise.reject(closedError());
    const count = this.#fill(into);
    if (count !== undefined) {
      this.#taken();
      return count;
    }
    if (this.#ended === "reset") return Promise.reject(resetError());
    return new Promise((resolve, reject) => this.#reading = { bytes: into, resolve, reject });
  }

  /** @returns what a read gives now; `undefined`: nothing yet. */
  #fill(into: Uint8Array): number | null | undefined {
    const telnet = this.#telnet;
    const queue = this.#queue;
    let at = telnet && !telnet.writer.isAmid ? telnet.answersInto(into) : 0;
    if (telnet) {
      // What ends the client goes out even if it takes no data.
      const mayGo = !telnet.isSuspended || this.#ended !== undefined;
      while (at < into.length && (telnet.writer.isAmid || (mayGo && queue.length > 0))) {
        at = telnet.writer.write(queue.peek(), into, at);
        queue.skip(telnet.writer.taken);
      }
    } else {
      while (at < into.length && queue.length > 0) {
        const piece = queue.peek().subarray(0, into.length - at);
        into.set(piece, at);
        at += piece.length;
        queue.skip(piece.length);
      }
    }
    if (at > 0) return at;
    return this.#ended === "end" ? null : undefined;
  }

  /** Something was read: there may be room again, for the line and for what the client says. */
  #taken(): void {
    if (this.isUser && this.#queue.room >= SERIAL_READ_SIZE) this.hub.taken();
    if (this.#telnet && !this.#telnet.isFull) this.#wakeWrite();
  }

  #wakeRead(): void {
    const reading = this.#reading;
    if (!reading) return;
    const count = this.#fill(reading.bytes);
    if (count === undefined && this.#ended !== "reset") return;
    this.#reading = undefined;
    if (count === undefined) return reading.reject(resetError());
    reading.resolve(count);
    this.#taken();
  }

  write(bytes: Uint8Array): Soon<number> {
    if (this.#closed) return Promise.reject(closedError());
    const count = this.#take(bytes);
    this.#wakeRead();
    if (count > 0 || bytes.length === 0) return count;
    return new Promise((resolve, reject) => this.#writing = { bytes, resolve, reject });
  }

  /** Takes what there is room for. @returns how many bytes. */
  #take(bytes: Uint8Array): number {
    if (this.#ended !== undefined) return bytes.length;
    if (this.#telnet) return this.#takeTelnet(this.#telnet, bytes);
    if (!this.isUser) return bytes.length;
    const count = Math.min(bytes.length, this.hub.outputRoom);
    if (count > 0) this.hub.send(bytes.subarray(0, count));
    return count;
  }

  #takeTelnet(telnet: TelnetSide, bytes: Uint8Array): number {
    const end = Math.min(bytes.length, TELNET_READ_SIZE);
    let at = 0;
    while (at < end && !telnet.isFull) {
      const room = this.isUser ? this.hub.outputRoom : end;
      if (room === 0) break;
      const event = telnet.reader.next(bytes.subarray(0, Math.min(end, at + room)), at);
      at = telnet.reader.at;
      if (event?.type === "data") {
        if (this.isUser) this.hub.send(event.bytes);
      } else if (event) telnet.take(event);
    }
    return at;
  }

  #wakeWrite(): void {
    const writing = this.#writing;
    if (!writing) return;
    this.#writing = undefined; // what is taken now may be written at once, and call this again
    const count = this.#take(writing.bytes);
    if (count === 0) this.#writing = writing;
    else writing.resolve(count);
  }

  /** The client sends no more: it is ended when the line has been silent for a while, so that an answer reaches it. */
  closeWrite(): Promise<void> {
    this.#hasEnded = true;
    this.#awaitAnswer();
    return Promise.resolve();
  }

  #awaitAnswer(): void {
    if (this.#cancelAnswer || this.#ended !== undefined || this.#closed || this.unacknowledged() > 0) return;
    this.#heard = this.#clock.now();
    this.#cancelAnswer = this.#clock.after(SERIAL_ANSWER_MS, this.#onSilence);
  }

  readonly #onSilence = (): void => {
    this.#cancelAnswer = undefined;
    const left = SERIAL_ANSWER_MS - (this.#clock.now() - this.#heard);
    if (left > 0) this.#cancelAnswer = this.#clock.after(left, this.#onSilence);
    else this.#finish();
  };

  #finish(): void {
    if (this.#ended !== undefined) return;
    this.#ended = "end";
    this.#leave("the client has ended");
    this.#wakeRead();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave("the client is gone");
    this.#queue.clear();
    this.#reading?.reject(closedError());
    this.#writing?.reject(closedError());
    this.#reading = this.#writing = undefined;
  }

  #leave(why: string): void {
    this.#cancelAnswer?.();
    this.#cancelAnswer = undefined;
    this.#telnet?.close();
    const wasThere = this.#part !== undefined;
    this.#part = undefined;
    if (wasThere) this.#options.onEnd(this, why);
    this.hub.leave(this);
  }

  override unacknowledged(): number {
    return this.isUser ? this.hub.outputWaiting : 0;
  }
}

function resetError(): Error {
  return Object.assign(new Deno.errors.ConnectionReset("the serial line is gone"), { code: "ECONNRESET" });
}
