/**
 * The gate in front of the runtime's HTTP server, which knows neither deadlines nor bounds of its own: a connection that
 * asks slowly, too much, or nothing at all, or takes no answers, ends here.
 *
 * It passes bytes on and reads none of them, but for the first three: HTTP/2 has many requests on a connection, of which one
 * that nobody reads is not seen from here. A byte of the caller begins a request, a byte of the server answers it.
 *
 * @module
 */

import { ADMIN_IDLE_MS, ADMIN_REQUEST_MS, MAX_ADMIN_CONNECTIONS, MAX_ADMIN_REQUEST } from "../../limits.ts";
import { type Clock, sleep } from "../../../base/clock.ts";
import { addressGroup } from "../../../protocol/address_group.ts";
import { describeError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";

/** Bytes that are read at once. */
const CHUNK = 16 * 1024;

/** What HTTP/2 begins with, and no method of HTTP/1. */
const HTTP2_OPENING = "PRI";

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
  /** Milliseconds that an answered connection may be silent both ways, and that a write may take. @default {ADMIN_IDLE_MS} */
  readonly idleMs?: number;
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
    let isTold = false;
    while (!signal.aborted) {
      let conn: Deno.Conn;
      try {
        conn = await listener.accept();
        isTold = false;
      } catch (error) {
        if (signal.aborted) return;
        if (!isTold) {
          logger.warn("cannot accept at the admin API or --metrics: {error}", { error: describeError(error) });
        }
        isTold = true; // once until it can again
        await sleep(clock, ACCEPT_PAUSE_MS, signal);
        continue;
      }
      this.#enter(conn);
    }
  }

  #enter(conn: Deno.Conn): void {
    const passage = new Passage(conn, this.#options);
    if (this.#passages.size >= MAX_ADMIN_CONNECTIONS) this.#makeRoom(passage.site);
    this.#passages.add(passage);
    passage.ended.then(() => this.#passages.delete(passage));
  }

  /**
   * One of those goes who came from where most came from: whoever comes by the dozens pushes out their own. It is the oldest
   * that was never answered, or else the one that is silent for longest.
   */
  #makeRoom(site: string): void {
    const counts = new Map([[site, 1]]);
    for (const { site } of this.#passages) counts.set(site, (counts.get(site) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const isOwn = most > 1 && counts.get(site) === most;
    const some = [...this.#passages].filter((other) => isOwn ? other.site === site : counts.get(other.site) === most);
    const out = some.find(({ answered }) => !answered) ?? some.reduce((a, b) => b.heard < a.heard ? b : a);
    out.end();
    this.#passages.delete(out);
  }
}

/** One connection, and the one to the HTTP server that stands for it. */
class Passage {
  /** Resolves when both are closed; never rejects. */
  readonly ended: Promise<void>;
  /** Whether it was ever answered. */
  answered = false;
  /** Where it came from: an IPv4 address or a /56 of IPv6; the same for all that came to a Unix socket. */
  readonly site: string;

  readonly #caller: Deno.Conn;
  readonly #clock: Clock;
  readonly #idleMs: number;
  #server: Deno.Conn | undefined;
  #isOver = false;
  #cancel: () => void = () => {};
  /** Since when an answer is awaited. */
  #asked: number | undefined;
  #bytesAsked = 0;
  #opening = ""; // of all that was asked
  #heard: number;

  constructor(caller: Deno.Conn, { dial, clock, idleMs = ADMIN_IDLE_MS }: GateOptions) {
    this.#caller = caller;
    this.#idleMs = idleMs;
    this.site = siteOf(caller);
    this.#clock = clock;
    this.#heard = clock.now();
    this.#watch();
    this.ended = this.#run(dial).catch(() => {}).finally(() => this.end());
  }

  /** When something was passed on last. */
  get heard(): number {
    return this.#heard;
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
    const way = async (from: Deno.Conn, to: Deno.Conn, passed: (bytes: Uint8Array) => void) => {
      const buffer = new Uint8Array(CHUNK);
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        this.#heard = this.#clock.now();
        passed(buffer.subarray(0, count));
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
        this.#heard = this.#clock.now();
      }
      await to.closeWrite();
    };
    const there = way(this.#caller, server, (bytes) => this.#onAsked(bytes));
    const back = way(server, this.#caller, () => this.#onAnswered());
    there.catch(() => this.end());
    await back; // who has heard the end of the server has nothing more to say
  }

  #onAsked(bytes: Uint8Array): void {
    if (this.#opening.length < HTTP2_OPENING.length) {
      this.#opening += String.fromCharCode(...bytes.subarray(0, HTTP2_OPENING.length - this.#opening.length));
      if (this.#opening === HTTP2_OPENING) return this.end();
    }
    this.#bytesAsked += bytes.length;
    if (this.#bytesAsked > MAX_ADMIN_REQUEST) return this.end();
    if (this.#asked !== undefined) return;
    this.#asked = this.#clock.now();
    this.#watch();
  }

  #onAnswered(): void {
    this.answered = true;
    this.#bytesAsked = 0;
    if (this.#asked === undefined) return;
    this.#asked = undefined;
    this.#watch();
  }

  /** Ends it when it has been awaited, or silent, for too long: a write that stands still is silence, too. */
  #watch(): void {
    this.#cancel();
    if (this.#isOver) return;
    const idle = this.#heard + (this.answered ? this.#idleMs : ADMIN_REQUEST_MS);
    const due = Math.min(idle, (this.#asked ?? Infinity) + ADMIN_REQUEST_MS);
    const left = due - this.#clock.now();
    if (left <= 0) return this.end();
    this.#cancel = this.#clock.after(Math.ceil(left), () => this.#watch());
  }
}

function siteOf({ remoteAddr }: Deno.Conn): string {
  return "hostname" in remoteAddr ? addressGroup(remoteAddr.hostname).site : "";
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // it is closed
  }
}
