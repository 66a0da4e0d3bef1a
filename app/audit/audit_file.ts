/**
 * The audit: lines in a file of its own, in their order, written beside all else. A full disk, or a file that is gone,
 * stops nothing: lines wait, up to a bound, then they are counted, and that is told in the audit when it goes on.
 *
 * @module
 */

import {
  AUDIT_FILE_SIZE,
  AUDIT_FILES_KEPT,
  AUDIT_FLUSH_MS,
  AUDIT_LOOK_MS,
  AUDIT_RETRY_MS,
  AUDIT_SAID_MS,
  AUDIT_WRITE,
  MAX_AUDIT_BACKLOG,
} from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { type AuditFacts, auditLine } from "./line.ts";
import { type OpenLog, openLog, putAside } from "./open_log.ts";

/** Where it is, and what it needs. */
export interface AuditOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes from which a file is put aside. @default {AUDIT_FILE_SIZE} */
  readonly size?: number;
  /** How a file is opened; for tests. */
  readonly open?: (path: string) => Promise<OpenLog>;
}

/** Writes an audit. */
export class AuditFile {
  #path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #most: number;
  readonly #open: (path: string) => Promise<OpenLog>;
  readonly #encoder = new TextEncoder();
  #waiting: Uint8Array[] = [];
  #backlog = 0;
  #file: OpenLog | undefined;
  #lookedAt = 0;
  #isStale = false; // it is to be opened anew
  #isTorn = false; // the last line in the file may be half a one
  #isTold = false; // that it cannot be written
  #toldAt = -Infinity;
  #lost = 0; // and not told of in the audit yet
  #writing: Promise<void> | undefined;
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;

  /** Lines that were written since the daemon runs. */
  written = 0;
  /** Lines that were lost since then. */
  lost = 0;

  /** Nothing is opened before there is something to write. */
  constructor({ path, clock, logger, size = AUDIT_FILE_SIZE, open = openLog }: AuditOptions) {
    this.#path = path;
    this.#clock = clock;
    this.#log = logger;
    this.#most = size;
    this.#open = open;
  }

  /** Where it is. */
  get path(): string {
    return this.#path;
  }

  /** It goes on in another file; lines that wait go there, too. */
  move(path: string): void {
    this.#path = path;
    this.reopen();
  }

  /** One more line. It never waits, and never throws. */
  add(facts: AuditFacts): void {
    const line = this.#encoder.encode(auditLine(this.#clock.wall(), facts));
    if (this.#isClosed || this.#backlog + line.length > MAX_AUDIT_BACKLOG) {
      this.lost++;
      this.#lost++;
      if (!this.#isClosed) this.#tell("nothing is written any more; lines are lost");
      return;
    }
    this.#tellLost();
    this.#push(line);
    if (!this.#cancelRetry) this.#start();
  }

  /** Opens the file anew before the next line: somebody has moved it away, and said so. */
  reopen(): void {
    this.#isStale = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#start();
  }

  /** Resolves when what waits now has been written, or cannot be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** Writes what waits, for `AUDIT_FLUSH_MS` at most, and closes the file. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#start();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(AUDIT_FLUSH_MS, resolve);
    await Promise.race([this.#writing, promise]);
    cancel();
    const rest = this.#waiting.length;
    if (rest > 0) this.#log.error("{count} lines of the audit {path} are lost", { count: rest, path: this.#path });
    this.#waiting = [];
    this.#file?.close();
    this.#file = undefined;
  }

  /** Those that were lost stand in their place: behind what waited then, ahead of what comes now. */
  #tellLost(): void {
    if (this.#lost === 0) return;
    const facts = { event: "lines-lost", lines: this.#lost };
    this.#lost = 0;
    this.#push(this.#encoder.encode(auditLine(this.#clock.wall(), facts)));
  }

  #push(line: Uint8Array): void {
    this.#waiting.push(line);
    this.#backlog += line.length;
  }

  #start(): void {
    this.#writing ??= this.#write().finally(() => this.#writing = undefined);
  }

  async #write(): Promise<void> {
    await undefined; // what comes in this turn goes along
    try {
      while (this.#waiting.length > 0 || this.#isStale) await this.#writeSome();
    } catch (error) {
      this.#file?.close();
      this.#file = undefined;
      this.#failed(error);
    }
  }

  async #writeSome(): Promise<void> {
    const file = await this.#current();
    if (this.#waiting.length === 0) return;
    const [batch, count] = this.#batch();
    if (this.#isTorn) await file.write(this.#encoder.encode("\n"));
    this.#isTorn = false;
    const before = file.size;
    try {
      await file.write(batch);
    } catch (error) {
      this.#isTorn = true;
      this.#forget(this.#wholeLines(file.size - before)); // they are there
      throw error;
    }
    this.#forget(count);
    if (this.#waiting.length === 0) this.#tellLost();
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#log.info("the audit {path} is written again; {lost} lines were lost since the start", {
      path: this.#path,
      lost: this.lost,
    });
  }

  /** The file to write to: another one if it is full, was put aside, or is gone. */
  async #current(): Promise<OpenLog> {
    const now = this.#clock.now();
    let file = this.#file;
    if (file && (this.#isStale || now - this.#lookedAt >= AUDIT_LOOK_MS)) {
      this.#lookedAt = now;
      if (this.#isStale || !await file.isAt(this.#path)) {
        file.close();
        this.#file = file = undefined;
      }
    }
    this.#isStale = false;
    if (file && file.size > 0 && file.size + this.#backlog > this.#most) {
      file.close();
      this.#file = file = undefined;
      await putAside(this.#path, AUDIT_FILES_KEPT);
    }
    if (!file) {
      this.#file = file = await this.#open(this.#path);
      this.#lookedAt = now;
    }
    return file;
  }

  #batch(): [Uint8Array, number] {
    let [size, count] = [0, 0];
    for (const line of this.#waiting) {
      if (count > 0 && size + line.length > AUDIT_WRITE) break;
      size += line.length;
      count++;
    }
    const batch = new Uint8Array(size);
    let at = 0;
    for (const line of this.#waiting.slice(0, count)) {
      batch.set(line, at);
      at += line.length;
    }
    return [batch, count];
  }

  /** How many of the lines that wait are in their first `size` bytes. */
  #wholeLines(size: number): number {
    let [left, count] = [size, 0];
    for (const line of this.#waiting) {
      left -= line.length;
      if (left < 0) break;
      count++;
    }
    return count;
  }

  /** The first lines were written. */
  #forget(count: number): void {
    for (const line of this.#waiting.splice(0, count)) this.#backlog -= line.length;
    this.written += count;
  }

  /** Once, and no more often than now and then where it fails again and again. */
  #tell(error: string): void {
    const now = this.#clock.now();
    if (this.#isTold || now - this.#toldAt < AUDIT_SAID_MS) return;
    [this.#isTold, this.#toldAt] = [true, now];
    this.#log.error("the audit {path} cannot be written: {error}; lines wait, up to 1 MiB, all else goes on", {
      path: this.#path,
      error,
    });
  }

  #failed(cause: unknown): void {
    this.#tell(describeError(cause));
    if (this.#isClosed) return;
    this.#cancelRetry = this.#clock.after(AUDIT_RETRY_MS, () => {
      this.#cancelRetry = undefined;
      this.#start();
    });
  }
}
