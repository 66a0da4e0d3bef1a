/**
 * A webhook: events are posted to a URL, one after the other. What is slow or dead there costs nothing here: events wait,
 * up to a bound, are tried again for a while, and given up then.
 *
 * @module
 */

import {
  MAX_WEBHOOK_WAITING,
  WEBHOOK_GIVE_UP_MS,
  WEBHOOK_LAST_MS,
  WEBHOOK_LOG_MS,
  WEBHOOK_REQUEST_MS,
  WEBHOOK_RETRY_MS,
} from "../limits.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { SOFTWARE } from "../../base/version.ts";
import { signatureOf } from "./signature.ts";

/** What is told. */
export interface WebhookEvent {
  /** What happened, in one word. */
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** Posts a body. @returns the status of the answer. @throws What the network says, and if the signal aborts. */
export type Post = (
  url: string,
  body: string,
  headers: Record<string, string>,
  signal: AbortSignal,
) => Promise<{ readonly status: number }>;

/** Where events go, and what that needs. */
export interface WebhookOptions {
  readonly url: string;
  /** Signs them. */
  readonly secret: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly post?: Post;
}

interface Waiting {
  readonly id: string;
  readonly name: string;
  readonly body: string;
  readonly since: number;
}

/** Tells a URL of events. */
export class Webhook {
  #options: WebhookOptions;
  readonly #post: Post;
  readonly #waiting: Waiting[] = [];
  readonly #ending = new AbortController();
  #sending: Promise<void> | undefined;
  #loggedAt = -Infinity;
  #isClosing = false;

  /** Events that were taken. */
  delivered = 0;
  /** Events that were refused, or given up. */
  failed = 0;
  /** Events that were dropped as too many waited. */
  dropped = 0;

  /** Nothing is sent yet. */
  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#post = options.post ?? post;
  }

  /** How many wait, with the one that is being told. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Tells of an event, when its turn comes. It never waits, and never throws. */
  tell({ event, ...facts }: WebhookEvent): void {
    if (this.#isClosing) return;
    const { clock } = this.#options;
    const id = crypto.randomUUID();
    const body = JSON.stringify({ id, event, time: new Date(clock.wall()).toISOString(), ...facts });
    if (this.#waiting.length >= MAX_WEBHOOK_WAITING) {
      this.#waiting.splice(1, 1); // the first is on its way
      this.dropped++;
      this.#say("too many wait, so the oldest is dropped");
    }
    this.#waiting.push({ id, name: event, body, since: clock.now() });
    this.#start();
  }

  /** Events go to another URL, or are signed by another secret, also those that wait. */
  retarget({ url, secret }: Pick<WebhookOptions, "url" | "secret">): void {
    this.#options = { ...this.#options, url, secret };
  }

  /** Resolves when no event waits any more, `WEBHOOK_LAST_MS` later at the latest. Idempotent. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const cancel = this.#options.clock.after(WEBHOOK_LAST_MS, () => this.#ending.abort());
    await this.#sending;
    cancel();
    const count = this.#waiting.length;
    if (count > 0) this.#options.logger.warn("the webhook was not told of {count} events", { count });
  }

  #start(): void {
    this.#sending ??= this.#sendAll().finally(() => this.#sending = undefined);
  }

  async #sendAll(): Promise<void> {
    await undefined;
    while (this.#waiting.length > 0 && !this.#ending.signal.aborted) {
      const next = this.#waiting[0]!;
      const isDone = await this.#send(next);
      if (isDone) this.#waiting.shift();
    }
  }

  /** @returns whether it is over with it: false if the daemon ends meanwhile. */
  async #send(event: Waiting): Promise<boolean> {
    const { clock } = this.#options;
    const { signal } = this.#ending;
    let [pause, most] = WEBHOOK_RETRY_MS as readonly [number, number];
    for (let attempt = 1;; attempt++) {
      const why = await this.#try(event, attempt);
      if (why === undefined) {
        this.delivered++;
        return true;
      }
      if (signal.aborted) return false;
      if (why.isFinal || clock.now() + pause - event.since > WEBHOOK_GIVE_UP_MS || this.#isClosing) {
        this.failed++;
        this.#say(why.text);
        return true;
      }
      await sleep(clock, pause, signal);
      if (signal.aborted) return false;
      pause = Math.min(most, 2 * pause);
    }
  }

  /** @returns nothing if it was taken, else why not. */
  async #try({ id, name, body }: Waiting, attempt: number): Promise<{ text: string; isFinal: boolean } | undefined> {
    const { url, secret, clock } = this.#options;
    const late = new AbortController();
    const cancel = clock.after(WEBHOOK_REQUEST_MS, () => late.abort(new Error("it did not answer in time")));
    const headers: Record<string, string> = {
      "content-type": "application/json",
      "user-agent": SOFTWARE.replace(" ", "/"),
      "sallyport-event": name,
      "sallyport-delivery": id,
      "sallyport-attempt": String(attempt),
    };
    if (secret !== undefined) {
      headers["sallyport-signature"] = signatureOf(secret, Math.floor(clock.wall() / 1000), body);
    }
    try {
      const { status } = await this.#post(url, body, headers, AbortSignal.any([late.signal, this.#ending.signal]));
      if (status >= 200 && status < 300) return undefined;
      return { text: `it answered with status ${status}`, isFinal: status < 500 && status !== 408 && status !== 429 };
    } catch (error) {
      return { text: describeError(error), isFinal: false };
    } finally {
      cancel();
    }
  }

  /** At once, and then no more than once a minute. */
  #say(why: string): void {
    const { clock, logger } = this.#options;
    if (clock.now() - this.#loggedAt < WEBHOOK_LOG_MS) return;
    this.#loggedAt = clock.now();
    const [failed, dropped] = [this.failed, this.dropped];
    logger.warn("the webhook was not told of an event: {why}; {failed} failed and {dropped} were dropped by now", {
      why,
      failed,
      dropped,
    });
  }
}

/** By `fetch`, with TLS verified; whom a redirect names is not told. */
const post: Post = async (url, body, headers, signal) => {
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  try {
    const answer = await fetch(url, { method: "POST", body, headers, signal, redirect: "manual", client });
    await answer.body?.cancel();
    return answer;
  } catch (error) {
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  } finally {
    client.close();
  }
};
