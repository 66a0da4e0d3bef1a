/**
 * A connection within the process: what is written at one end is read at the other.
 *
 * @module
 */

import { closedError, LocalConnection } from "../../net/local_connection.ts";
import { PAIR_BUFFER } from "../limits.ts";
import type { Connection, Soon } from "../../net/socket.ts";

/** Two ends of one connection. */
export function connectionPair(): readonly [Connection, Connection] {
  const [up, down] = [new Pipe(), new Pipe()];
  return [new PairEnd(up, down), new PairEnd(down, up)];
}

/** Bytes one way, of which {@linkcode PAIR_BUFFER} may wait. */
class Pipe {
  readonly #ring = new Uint8Array(PAIR_BUFFER);
  #start = 0;
  #size = 0;
  #isEnded = false; // by who writes
  #isLeft = false; // by who reads
  #onChange: (() => void)[] = [];

  /** Whether nobody reads it any more. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  read(into: Uint8Array): Soon<number | null> {
    if (this.#isLeft) return Promise.reject(closedError());
    if (this.#size === 0) return this.#isEnded ? null : this.#changed().then(() => this.read(into));
    const count = Math.min(into.length, this.#size, PAIR_BUFFER - this.#start);
    into.set(this.#ring.subarray(this.#start, this.#start + count));
    this.#start = (this.#start + count) % PAIR_BUFFER;
    this.#size -= count;
    this.#change();
    return count;
  }

  write(bytes: Uint8Array): Soon<number> {
    if (this.#isEnded) return Promise.reject(closedError());
    if (this.#isLeft) return Promise.reject(new Deno.errors.BrokenPipe("the other end is closed"));
    if (bytes.length === 0) return 0;
    if (this.#size === PAIR_BUFFER) return this.#changed().then(() => this.write(bytes));
    const at = (this.#start + this.#size) % PAIR_BUFFER;
    const room = at < this.#start ? this.#start - at : PAIR_BUFFER - at;
    const count = Math.min(bytes.length, room);
    this.#ring.set(bytes.subarray(0, count), at);
    this.#size += count;
    this.#change();
    return count;
  }

  /** Nothing more is written. */
  end(): void {
    this.#isEnded = true;
    this.#change();
  }

  /** Nothing more is read; what waits is dropped. */
  leave(): void {
    this.#isLeft = true;
    this.#change();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve));
  }

  #change(): void {
    const waiting = this.#onChange;
    this.#onChange = [];
    for (const resolve of waiting) resolve();
  }
}

class PairEnd extends LocalConnection {
  readonly #in: Pipe;
  readonly #out: Pipe;

  constructor(from: Pipe, to: Pipe) {
    super();
    this.#in = from;
    this.#out = to;
  }

  get endsWhole(): boolean {
    return this.#out.isLeft;
  }

  read(into: Uint8Array): Soon<number | null> {
    return this.#in.read(into);
  }

  write(bytes: Uint8Array): Soon<number> {
    return this.#out.write(bytes);
  }

  closeWrite(): Promise<void> {
    this.#out.end();
    return Promise.resolve();
  }

  close(): void {
    this.#in.leave();
    this.#out.end();
  }
}
