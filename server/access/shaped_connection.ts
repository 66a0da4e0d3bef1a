/**
 * A client's connection whose bytes pass a {@linkcode Shaper}. It is only made where there is a limit: others have their
 * own connection, and pay nothing.
 *
 * @module
 */

import type { DatagramCounts } from "../../net/udp/counts.ts";
import type { DatagramClock } from "../../protocol/channel.ts";
import type { Connection, KeepAlivePace, PeerSigns, Soon } from "../../net/socket.ts";
import type { Flow, Shaper } from "./shaper.ts";

/** What limits a client's connection: `up` from the client to the service, `down` the other way. */
export interface Shapers {
  readonly up: Shaper | undefined;
  readonly down: Shaper | undefined;
}

/** The connection, or one in front of it if there is a limit. */
export function shaped(inner: Connection, shapers: Shapers): Connection {
  return shapers.up || shapers.down ? new ShapedConnection(inner, shapers) : inner;
}

/** Reads no more before what it read is paid for, and writes what is. */
class ShapedConnection implements Connection {
  readonly sharesTurns: boolean;
  /** Only where writing costs nothing. */
  readonly writeNow?: (bytes: Uint8Array) => number;
  readonly #inner: Connection;
  readonly #up: Shaper | undefined;
  readonly #down: Shaper | undefined;
  readonly #read: Flow = { finish: 0 };
  readonly #written: Flow = { finish: 0 };
  #paid = 0; // for bytes that the system has not taken yet

  constructor(inner: Connection, { up, down }: Shapers) {
    this.#inner = inner;
    this.#up = up;
    this.#down = down;
    this.sharesTurns = inner.sharesTurns ?? false;
    if (!down && inner.writeNow) this.writeNow = (bytes) => inner.writeNow!(bytes);
  }

  get endsWhole(): boolean {
    return this.#inner.endsWhole ?? false;
  }

  read(into: Uint8Array): Soon<number | null> {
    const up = this.#up;
    if (!up) return this.#inner.read(into);
    const { turn } = up;
    const count = this.#inner.read(into.length > turn ? into.subarray(0, turn) : into);
    return count instanceof Promise ? count.then((count) => this.#payFor(count, up)) : this.#payFor(count, up);
  }

  write(bytes: Uint8Array): Soon<number> {
    const down = this.#down;
    if (!down) return this.#inner.write(bytes);
    const part = bytes.length > down.turn ? bytes.subarray(0, down.turn) : bytes;
    const due = part.length - this.#paid;
    const paid = due > 0 ? down.pay(this.#written, due) : undefined;
    if (due > 0) this.#paid += due;
    return paid ? paid.then(() => this.#pass(part)) : this.#pass(part);
  }

  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  close(): void {
    this.#inner.close();
    this.#leave();
  }

  reset(): void {
    this.#inner.reset();
    this.#leave();
  }

  setResetAtClose(isReset: boolean): void {
    this.#inner.setResetAtClose(isReset);
  }

  get datagrams(): DatagramCounts | undefined {
    return this.#inner.datagrams;
  }

  joined(clock: DatagramClock | undefined): void {
    this.#inner.joined?.(clock);
  }

  unacknowledged(): number {
    return this.#inner.unacknowledged();
  }

  setKeepAlive(pace: KeepAlivePace | undefined): void {
    this.#inner.setKeepAlive(pace);
  }

  keepAlive(): KeepAlivePace | "off" | undefined {
    return this.#inner.keepAlive();
  }

  signs(): PeerSigns | undefined {
    return this.#inner.signs();
  }

  #payFor(count: number | null, up: Shaper): Soon<number | null> {
    if (count === null) return null;
    const paid = up.pay(this.#read, count);
    return paid ? paid.then(() => count) : count;
  }

  #pass(part: Uint8Array): Soon<number> {
    const count = this.#inner.write(part);
    if (count instanceof Promise) return count.then((count) => this.#took(count));
    return this.#took(count);
  }

  #took(count: number): number {
    this.#paid = Math.max(0, this.#paid - count);
    return count;
  }

  #leave(): void {
    this.#up?.leave(this.#read);
    this.#down?.leave(this.#written);
  }
}
