/**
 * A client, or a service: a program at the far end of a connection that sends one stream and receives another.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { End } from "./connection.ts";
import { fillPattern, patternBreak } from "./pattern.ts";
import type { Time } from "./time.ts";

const READ_SIZE = 32 * 1024;

export interface ProgramPlan {
  /** Bytes that it sends before it ends its direction. */
  readonly total: number;
  /** Bytes that it writes at once, at most. */
  readonly piece: number;
  /** Milliseconds between two writes, at most. */
  readonly pause: number;
  /** Milliseconds between two reads, at most: a slow sink. */
  readonly slow: number;
}

/** Runs until both directions have ended, or the connection has failed. */
export class Program {
  /** Bytes that were written. */
  sent = 0;
  /** Bytes that came, all of them in their place. */
  received = 0;
  /** Whether the other side's end came in order. */
  heardEnd = false;
  over = false;
  /** Called once, when it is. */
  onOver: () => void = () => {};
  readonly #time: Time;
  readonly #random: Random;
  readonly #end: End;
  readonly #plan: ProgramPlan;
  readonly #onBroken: (what: string) => void;

  /** At `end`. `onBroken` hears of a byte that is not the one that should stand there. */
  constructor(time: Time, random: Random, end: End, plan: ProgramPlan, onBroken: (what: string) => void) {
    this.#time = time;
    this.#random = random;
    this.#end = end;
    this.#plan = plan;
    this.#onBroken = onBroken;
  }

  /** Starts; `out` and `inward` tell the streams apart. */
  start(out: number, inward: number): void {
    Promise.all([this.#send(out), this.#receive(inward)]).catch(() => {}).then(() => this.#finish());
  }

  /** Ends at once: the other side sees a reset, or an end out of turn. */
  quit(how: "reset" | "close"): void {
    if (this.over) return;
    if (how === "reset") this.#end.reset();
    else this.#end.close();
  }

  #finish(): void {
    this.#end.close();
    this.over = true;
    this.onOver();
  }

  async #send(salt: number): Promise<void> {
    const { total, piece, pause } = this.#plan;
    while (this.sent < total) {
      const bytes = new Uint8Array(Math.min(total - this.sent, 1 + this.#random.upTo(piece - 1)));
      fillPattern(bytes, salt, this.sent);
      for (let at = 0; at < bytes.length;) {
        const count = await this.#end.write(bytes.subarray(at));
        at += count;
        this.sent += count;
      }
      if (pause > 0) await this.#time.sleep(this.#random.upTo(pause));
    }
    await this.#end.closeWrite();
  }

  async #receive(salt: number): Promise<void> {
    const buffer = new Uint8Array(READ_SIZE);
    for (;;) {
      const count = await this.#end.read(buffer);
      if (count === null) break;
      const wrong = patternBreak(buffer.subarray(0, count), salt, this.received);
      if (wrong >= 0) this.#onBroken(`stream ${salt}: the byte at ${wrong} is not the one that was sent there`);
      this.received += count;
      if (this.#plan.slow > 0) await this.#time.sleep(this.#random.upTo(this.#plan.slow));
    }
    this.heardEnd = true;
  }
}
