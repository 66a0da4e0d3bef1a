/**
 * Lines to stdout and stderr that can never stop the relay: a pipe that nobody reads, or a full disk, costs lines and
 * nothing else.
 *
 * @module
 */

/** Bytes that wait for a reader at most, for each of the two; beyond, lines are dropped and counted. */
export const MAX_OUTPUT_BACKLOG = 1024 * 1024;

/** Milliseconds that the end of the process waits for its last lines. */
export const OUTPUT_FLUSH_MS = 500;

/** What is written to, as of the runtime. */
export interface Sink {
  /** Writes some of `bytes`. @returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** A bounded queue of lines in front of a sink. */
export class LineWriter {
  readonly #sink: Sink;
  #lines: Uint8Array[] = [];
  #size = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  /** A writer to `sink`, which may block or fail. */
  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Queues a line; the line break is added. */
  write(line: string): void {
    const bytes = new TextEncoder().encode(line + "\n");
    if (this.#size + bytes.length > MAX_OUTPUT_BACKLOG) {
      this.#dropped++;
      return;
    }
    this.#lines.push(bytes);
    this.#size += bytes.length;
    this.#writing ??= this.#run();
  }

  /** Resolves when all is written, or cannot be, or `ms` milliseconds have passed. */
  async flush(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    try {
      while (this.#lines.length > 0) {
        const bytes = this.#join();
        for (let at = 0; at < bytes.length;) at += await this.#sink.write(bytes.subarray(at));
        this.#size -= bytes.length;
        this.#tellDropped();
      }
    } catch {
      // Nobody reads: there is nobody to tell. Later lines are tried again.
      this.#lines = [];
      this.#size = 0;
    } finally {
      this.#writing = undefined;
    }
  }

  /** All that waits, as one piece. */
  #join(): Uint8Array {
    const lines = this.#lines.splice(0);
    const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
    let at = 0;
    for (const line of lines) {
      bytes.set(line, at);
      at += line.length;
    }
    return bytes;
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const line = new TextEncoder().encode(`(${this.#dropped} lines dropped: nobody read them in time)\n`);
    this.#dropped = 0;
    this.#lines.push(line);
    this.#size += line.length;
  }
}

/** Where scripts look. */
export const stdout: LineWriter = new LineWriter(Deno.stdout);

/** Where people look. */
export const stderr: LineWriter = new LineWriter(Deno.stderr);

/** Waits for the last lines of the process, within bounds. */
export async function flushOutput(): Promise<void> {
  await Promise.all([stdout.flush(OUTPUT_FLUSH_MS), stderr.flush(OUTPUT_FLUSH_MS)]);
}
