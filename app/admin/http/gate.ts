/**
 * The gate in front of the runtime's HTTP server, which knows neither deadlines nor bounds of its own: a connection that
 * asks slowly, too much, or nothing at all, or takes no answers, ends here.
 *
 * It passes bytes on and reads none of them. A byte of the caller begins a request, a byte of the server answers it.
 *
 * @module
 */

import { ADMIN_IDLE_MS, ADMIN_REQUEST_MS, MAX_ADMIN_CONNECTIONS, MAX_ADMIN_REQUEST } from "../../limits.ts";
import { type Clock, sleep } from "../../../base/clock.ts";
import { describeError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";

/** Bytes that are read at once. */
const CHUNK = 16 * 1024;

/** Milliseconds without accepting after accepting has failed, as it does when there are no descriptors left. */
const ACCEPT_PAUSE_MS = 200;

/** What a gate stands in front of. */
export interface GateOptions {
  /** Where callers come. The gate closes it. */
  readonly listener: Deno.Listener<Deno.Conn>;
  /** A connection to the HTTP server. */
  readonly dial: () => Promise<Deno.Conn>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Lets callers through. */
export class Gate {
  readonly #options: GateOptions;
  readonly #passages = new Set<Passage>();
  readonly #accepting: Promise<void>;
  readonly #closing = new AbortController();

  /** Open from now on. */
  constructor(options: GateOptions) {
    this.#options = options;
    this.#accepting = this.#accept();
  }

  /** How many are let through. */
  get size(): number {
    return this.#passages.size;
  }

  /** Ends all connections, and takes no more. Resolves when nothing is left. */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      this.#options.listener.close();
    }
    for (const passage of this.#passages) passage.end();
    await this.#accepting;
    await Promise.all([...this.#passages].map((passage) => passage.ended));
  }

  async #accept(): Promise<void> {
    const { listener, clock, logger } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      let conn: Deno.Conn;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("cannot accept at the admin API: {error}", { error: describeError(error) });
        await sleep(clock, ACCEPT_PAUSE_MS, signal);
        continue;
      }
      this.#enter(conn);
    }
  }

  #enter(conn: Deno.Conn): void {
    if (this.#passages.size >= MAX_ADMIN_CONNECTIONS) {
      const out = [...this.#passages].find((passage) => !passage.answered);
      if (!out) return conn.close();
      out.end();
      this.#passages.delete(out);
    }
    const { dial, clock } = this.#options;
    const passage = new Passage(conn, dial, clock);
    this.#passages.add(passage);
    passage.ended.then(() => this.#passages.delete(passage));
  }
}

/** One connection, and the one to the HTTP server that stands for it. */
class Passage {
  /** Resolves when both are closed; never rejects. */
  readonly ended: Promise<void>;
  /** Whether it was ever answered. */
  answered = false;

  readonly #caller: Deno.Conn;
  readonly #clock: Clock;
  #server: Deno.Conn | undefined;
  #isOver = false;
  #cancel: () => void = () => {};
  /** Since when an answer is awaited. */
  #asked: number | undefined;
  #bytesAsked = 0;
  #heard: number;

  constructor(caller: Deno.Conn, dial: () => Promise<Deno.Conn>, clock: Clock) {
    this.#caller = caller;
    this.#clock = clock;
    this.#heard = clock.now();
    this.#watch();
    this.ended = this.#run(dial).catch(() => {}).finally(() => this.end());
  }

  /** Ends it at once. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    close(this.#caller);
    if (this.#server) close(this.#server);
  }

  async #run(dial: () => Promise<Deno.Conn>): Promise<void> {
    const server = await dial();
    if (this.#isOver) return close(server);
    this.#server = server;
    const way = async (from: Deno.Conn, to: Deno.Conn, passed: (count: number) => void) => {
      const buffer = new Uint8Array(CHUNK);
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        passed(count);
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
        this.#heard = this.#clock.now();
      }
      await to.closeWrite();
    };
    const there = way(this.#caller, server, (count) => this.#onAsked(count));
    const back = way(server, this.#caller, () => {
      this.answered = true;
      this.#asked = undefined;
      this.#bytesAsked = 0;
    });
    there.catch(() => this.end());
    await back; // who has heard the end of the server has nothing more to say
  }

  #onAsked(count: number): void {
    this.#bytesAsked += count;
    if (this.#bytesAsked > MAX_ADMIN_REQUEST) return this.end();
    if (this.#asked !== undefined) return;
    this.#asked = this.#clock.now();
    this.#watch();
  }

  /** Ends it when it has been awaited, or silent, for too long: a write that stands still is silence, too. */
  #watch(): void {
    this.#cancel();
    if (this.#isOver) return;
    const idle = this.#heard + (this.answered ? ADMIN_IDLE_MS : ADMIN_REQUEST_MS);
    const due = Math.min(idle, (this.#asked ?? Infinity) + ADMIN_REQUEST_MS);
    const left = due - this.#clock.now();
    if (left <= 0) return this.end();
    this.#cancel = this.#clock.after(Math.ceil(left), () => this.#watch());
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // it is closed
  }
}
