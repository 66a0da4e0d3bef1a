/**
 * The pipes of a program.
 *
 * @module
 */

import { EXEC_FLOOD_PAUSE_MS, EXEC_LOG_LINE, EXEC_LOG_LINES } from "../limits.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import type { Duplex } from "../../net/socket.ts";

/** Its standard input and output as one duplex. */
export class ProgramPipes implements Duplex {
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  /** Takes over the pipes of `child`. */
  constructor(child: Deno.ChildProcess) {
    this.#input = child.stdin.getWriter();
    this.#output = child.stdout.getReader();
    this.#input.closed.catch(() => {}); // told by the write that fails
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#output.read();
      if (done) return null;
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, into.length);
    into.set(piece);
    this.#rest = this.#rest.subarray(piece.length);
    return piece.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#input.write(bytes);
    return bytes.length;
  }

  closeWrite(): Promise<void> {
    return this.#input.close();
  }

  close(): void {
    this.#input.abort().catch(() => {});
    this.#output.cancel().catch(() => {});
  }
}

/**
 * Tells what a program writes to its standard error, line by line: so many lines of so many characters. Beyond, it is read
 * with pauses: a program that writes without an end has to wait, and not the device.
 */
export class ErrorLines {
  /** Resolves when nothing more comes; never rejects. */
  readonly over: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #say: (line: string) => void;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #left = EXEC_LOG_LINES;
  #line = "";

  /** Takes over `stream`. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>, clock: Clock, say: (line: string) => void) {
    this.#clock = clock;
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    this.#say = say;
    this.over = this.#run().catch(() => {}); // it was closed
  }

  /** Lets go of it, whoever still holds its other end. */
  close(): void {
    this.#closing.abort();
    this.#reader.cancel().catch(() => {});
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#left < 0) await sleep(this.#clock, EXEC_FLOOD_PAUSE_MS, this.#closing.signal);
      const { value, done } = await this.#reader.read();
      if (done) break;
      if (this.#left < 0) continue;
      const [first = "", ...more] = value.split("\n", EXEC_LOG_LINES + 2);
      this.#add(first);
      for (const each of more) {
        this.#flush();
        this.#add(each);
      }
    }
    this.#flush();
  }

  #add(text: string): void {
    if (this.#line.length <= EXEC_LOG_LINE) this.#line += text.slice(0, EXEC_LOG_LINE + 1 - this.#line.length);
  }

  #flush(): void {
    const line = this.#line;
    this.#line = "";
    if (line === "" || this.#left < 0) return;
    if (this.#left-- === 0) return this.#say("(more lines, which are left out)");
    this.#say(line.length > EXEC_LOG_LINE ? `${line.slice(0, EXEC_LOG_LINE)}…` : line);
  }
}
