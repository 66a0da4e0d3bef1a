/**
 * A program's input and output as the connection of its client.
 *
 * @module
 */

import { LocalConnection } from "../../net/local_connection.ts";
import { EXEC_DRAIN_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../net/socket.ts";
import { type Program, signalGroup } from "./program.ts";

/**
 * Bytes from and to a program. Its end comes when it has ended, behind all that it wrote; what it does not read any more
 * is dropped, as nobody is to hear of that before.
 */
export class ProgramConnection extends LocalConnection {
  readonly endsWhole = true;
  readonly #program: Program;
  readonly #clock: Clock;
  readonly #duplex: Duplex;
  #isDeaf = false;
  #isOver = false;
  #cancelDrain: () => void = () => {};

  /** Takes over `duplex`, the program's side that faces the client. */
  constructor(program: Program, duplex: Duplex, clock: Clock) {
    super();
    this.#program = program;
    this.#duplex = duplex;
    this.#clock = clock;
    program.ended.then(() => this.#drain());
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (!this.#isOver) {
      const count = await this.#readOutput(into);
      if (count !== null) return count;
      this.#outputOver();
    }
    await this.#program.ended;
    return null;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#isDeaf) return bytes.length;
    try {
      return await this.#duplex.write(bytes);
    } catch {
      this.#isDeaf = true;
      return bytes.length;
    }
  }

  async closeWrite(): Promise<void> {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    try {
      await this.#duplex.closeWrite();
    } catch {
      // It reads no more.
    }
  }

  close(): void {
    this.#isDeaf = true;
    this.#outputOver();
    this.#duplex.close();
    this.#program.hangUp();
  }

  async #readOutput(into: Uint8Array): Promise<number | null> {
    try {
      return await this.#duplex.read(into);
    } catch {
      return null; // it was closed, here or by the end of a terminal
    }
  }

  /** What it has started may still hold its output, but not for ever. */
  #drain(): void {
    if (this.#isOver) return;
    const { pid } = this.#program.child;
    this.#cancelDrain = this.#clock.after(EXEC_DRAIN_MS, () => {
      signalGroup(pid, "SIGHUP"); // whoever holds the output is of that group, or has left it for good
      this.#duplex.close();
    });
  }

  #outputOver(): void {
    this.#isOver = true;
    this.#cancelDrain();
  }
}
