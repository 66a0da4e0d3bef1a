/**
 * A TCP connection that goes on in another listener of this process, over the loopback interface.
 *
 * @module
 */

import { LINGER_MS, MAX_READ } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../socket.ts";

/** Carries bytes both ways until both sides have ended, or this process's side is done. */
export class LoopbackHop {
  /** Resolves when both connections are closed; never rejects. */
  readonly ended: Promise<void>;
  readonly #outside: Duplex;
  readonly #inside: Duplex;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  /** Between the peer's connection and the one that was dialled within this process. */
  constructor(outside: Duplex, inside: Duplex, clock: Clock) {
    this.#outside = outside;
    this.#inside = inside;
    this.#clock = clock;
    this.ended = Promise.all([carry(outside, inside), carry(inside, outside)])
      .then(() => {}, () => {})
      .then(() => this.close());
  }

  /** This process is done with it: what is on its way has {@linkcode LINGER_MS} to go out. */
  finish(): void {
    this.#cancel ??= this.#clock.after(LINGER_MS, () => this.#closeBoth());
  }

  /** Closes both connections at once. Idempotent. */
  close(): void {
    this.#cancel?.();
    this.#cancel = () => {};
    this.#closeBoth();
  }

  #closeBoth(): void {
    this.#outside.close();
    this.#inside.close();
  }
}

async function carry(from: Duplex, to: Duplex): Promise<void> {
  const buffer = new Uint8Array(MAX_READ);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return await to.closeWrite();
    for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
  }
}
