/**
 * Lines to stdout and stderr that can never stop the relay: a pipe that nobody reads, or a full disk, costs lines and
 * nothing else. A file gets every line.
 *
 * @module
 */

import { fstatSync } from "node:fs";
import { MAX_LINES_JOINED, MAX_OUTPUT_BACKLOG, OUTPUT_FLUSH_MS } from "./limits.ts";
import { concat } from "../protocol/bytes.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { counted } from "../base/table.ts";
import { describeError } from "../base/errors.ts";

/** What is written to, as of the runtime. */
export interface Sink {
  /** Writes some of `bytes`. @returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** The same, and waits for it. */
  writeSync(bytes: Uint8Array): number;
}

/** Whole lines, as bytes. */
interface Lines {
  readonly bytes: Uint8Array;
  /** How many lines. */
  readonly count: number;
}

/** Lines in front of a sink: to a file at once, to anything that might make the relay wait through a bounded queue. */
export class LineWriter {
  readonly #sink: Sink;
  readonly #isFile: boolean;
  #lines: Lines[] = [];
  #size = 0;
  #soon: string[] = []; // lines of this turn that leave in one write
  #cancelSoon: (() => void) | undefined;
  #dropped = 0;
  #noted = 0; // that the notice in the queue tells of, less itself
  #why = "";
  #writing: Promise<void> | undefined;
  /** Called with what each failed with that could not be written; nothing by default, and the next lines are tried again. */
  onFailure: ((error: unknown) => void) | undefined;

  /** A writer to `sink`, which may fail, and unless `isFile` may block for ever. */
  constructor(sink: Sink, isFile = false) {
    this.#sink = sink;
    this.#isFile = isFile;
  }

  /** Writes a line, or queues it; the line break is added. */
  write(line: string): void {
    this.#leave();
    this.#put(lines([line]));
  }

  /** The same, at the end of this turn of the event loop, with what else comes until then: where many lines are. */
  writeSoon(line: string): void {
    this.#soon.push(line);
    if (this.#soon.length >= MAX_LINES_JOINED) this.#leave();
    else this.#cancelSoon ??= systemClock.soon(() => this.#leave());
  }

  /** Resolves when all is written, or cannot be, or `ms` milliseconds have passed. */
  async flush(ms: number, clock: Clock = systemClock): Promise<void> {
    this.#leave();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(ms, resolve);
    await Promise.race([this.#writing, promise]);
    cancel();
  }

  #leave(): void {
    this.#cancelSoon?.();
    this.#cancelSoon = undefined;
    if (this.#soon.length > 0) this.#put(lines(this.#soon.splice(0)));
  }

  #put(lines: Lines): void {
    if (this.#isFile) return this.#writeNow(lines);
    const { bytes, count } = lines;
    if (this.#size + bytes.length > MAX_OUTPUT_BACKLOG) {
      return this.#drop(count, `${MAX_OUTPUT_BACKLOG / 1024} KiB waited for whoever reads this, and more did not fit`);
    }
    this.#lines.push(lines);
    this.#size += bytes.length;
    this.#writing ??= this.#run();
  }

  /** A file takes what it is given, unless its disk is full. */
  #writeNow({ bytes, count }: Lines): void {
    try {
      if (this.#dropped > 0) this.#writeAllSync(this.#notice());
      this.#dropped = 0;
      this.#writeAllSync(bytes);
    } catch (error) {
      this.#drop(count, describeError(error));
      this.onFailure?.(error);
    }
  }

  #writeAllSync(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#sink.writeSync(bytes.subarray(at));
  }

  async #run(): Promise<void> {
    let count = 0;
    try {
      while (this.#lines.length > 0) {
        count = this.#waiting + this.#noted;
        this.#noted = 0;
        const bytes = concat(this.#lines.splice(0).map(({ bytes }) => bytes));
        for (let at = 0; at < bytes.length;) at += await this.#sink.write(bytes.subarray(at));
        this.#size -= bytes.length;
        this.#queueNotice();
      }
    } catch (error) {
      // Nobody reads: there is nobody to tell now. Later lines are tried again.
      this.#drop(count + this.#waiting, describeError(error));
      this.#lines = [];
      this.#size = 0;
      this.onFailure?.(error);
    } finally {
      this.#writing = undefined;
    }
  }

  /** Lines that wait for the write under way. */
  get #waiting(): number {
    return this.#lines.reduce((sum, { count }) => sum + count, 0);
  }

  #queueNotice(): void {
    if (this.#dropped === 0) return;
    const notice = this.#notice();
    this.#lines.push({ bytes: notice, count: 1 });
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
    return lines([`(${counted(this.#dropped, "line")} dropped here: ${this.#why})`]).bytes;
  }
}

const encoder = new TextEncoder();

function lines(texts: readonly string[]): Lines {
  return { bytes: encoder.encode(`${texts.join("\n")}\n`), count: texts.length };
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

/** The columns of the terminal that stdout is; `undefined` if it is none, or does not say. */
export function terminalColumns(): number | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  const { columns } = Deno.consoleSize();
  return columns > 0 ? columns : undefined;
}

/** Waits for the last lines of the process, within bounds. */
export async function flushOutput(): Promise<void> {
  await Promise.all([stdout.flush(OUTPUT_FLUSH_MS), stderr.flush(OUTPUT_FLUSH_MS)]);
}
