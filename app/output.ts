/**
 * Lines to stdout and stderr that can never stop the relay: a pipe that nobody reads, or a full disk, costs lines and
 * nothing else. A file gets every line.
 *
 * @module
 */

import { fstatSync } from "node:fs";
import { MAX_OUTPUT_BACKLOG, OUTPUT_FLUSH_MS } from "./limits.ts";
import { concat } from "../protocol/bytes.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";

/** What is written to, as of the runtime. */
export interface Sink {
  /** Writes some of `bytes`. @returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** The same, and waits for it. */
  writeSync(bytes: Uint8Array): number;
}

/** Lines in front of a sink: to a file at once, to anything that might make the relay wait through a bounded queue. */
export class LineWriter {
  readonly #sink: Sink;
  readonly #isFile: boolean;
  #lines: Uint8Array[] = [];
  #size = 0;
  #dropped = 0;
  #noted = 0; // that the notice in the queue tells of, less itself
  #why = "";
  #writing: Promise<void> | undefined;

  /** A writer to `sink`, which may fail, and unless `isFile` may block for ever. */
  constructor(sink: Sink, isFile = false) {
    this.#sink = sink;
    this.#isFile = isFile;
  }

  /** Writes a line, or queues it; the line break is added. */
  write(line: string): void {
    const bytes = encode(line);
    if (this.#isFile) return this.#writeNow(bytes);
    if (this.#size + bytes.length > MAX_OUTPUT_BACKLOG) {
      return this.#drop(1, `${MAX_OUTPUT_BACKLOG / 1024} KiB waited for whoever reads this, and more did not fit`);
    }
    this.#lines.push(bytes);
    this.#size += bytes.length;
    this.#writing ??= this.#run();
  }

  /** Resolves when all is written, or cannot be, or `ms` milliseconds have passed. */
  async flush(ms: number, clock: Clock = systemClock): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(ms, resolve);
    await Promise.race([this.#writing, promise]);
    cancel();
  }

  /** A file takes what it is given, unless its disk is full. */
  #writeNow(line: Uint8Array): void {
    try {
      if (this.#dropped > 0) this.#writeAllSync(this.#notice());
      this.#dropped = 0;
      this.#writeAllSync(line);
    } catch (error) {
      this.#drop(1, describeError(error));
    }
  }

  #writeAllSync(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#sink.writeSync(bytes.subarray(at));
  }

  async #run(): Promise<void> {
    let count = 0;
    try {
      while (this.#lines.length > 0) {
        count = this.#lines.length + this.#noted;
        this.#noted = 0;
        const bytes = concat(this.#lines.splice(0));
        for (let at = 0; at < bytes.length;) at += await this.#sink.write(bytes.subarray(at));
        this.#size -= bytes.length;
        this.#queueNotice();
      }
    } catch (error) {
      // Nobody reads: there is nobody to tell now. Later lines are tried again.
      this.#drop(count + this.#lines.length, describeError(error));
      this.#lines = [];
      this.#size = 0;
    } finally {
      this.#writing = undefined;
    }
  }

  #queueNotice(): void {
    if (this.#dropped === 0) return;
    const notice = this.#notice();
    this.#lines.push(notice);
    this.#size += notice.length;
    this.#noted = this.#dropped - 1;
    this.#dropped = 0;
  }

  #drop(count: number, why: string): void {
    this.#dropped += count;
    this.#why = why;
  }

  /** What there is to tell of lines that were dropped; it stands where they would. */
  #notice(): Uint8Array {
    const lines = this.#dropped === 1 ? "1 line" : `${this.#dropped} lines`;
    return encode(`(${lines} dropped here: ${this.#why})`);
  }
}

function encode(line: string): Uint8Array {
  return new TextEncoder().encode(line + "\n");
}

/** A regular file takes writes without a reader; what cannot be looked at counts as a pipe. */
function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

/** Where scripts look. */
export const stdout: LineWriter = new LineWriter(Deno.stdout, isFile(1));

/** Where people look. */
export const stderr: LineWriter = new LineWriter(Deno.stderr, isFile(2));

/** Waits for the last lines of the process, within bounds. */
export async function flushOutput(): Promise<void> {
  await Promise.all([stdout.flush(OUTPUT_FLUSH_MS), stderr.flush(OUTPUT_FLUSH_MS)]);
}
