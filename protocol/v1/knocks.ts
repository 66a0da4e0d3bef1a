/**
 * How a device asks a v1 server for a sign of life. The profile has no ping; what servers answer differs.
 *
 * Sallyport's server answers a CLOSE for an id that is not in use with CLOSE. The original server drops it, but answers
 * DATA of size 0 for an id that it never handed out; for one that it did it would lose step. So CLOSE is tried first, and
 * only a server that has left it without an answer gets the other, for the id that the original hands out last but one,
 * and while few of its ids have been seen. Who reads frames at all passes over DATA of size 0: it is only a header.
 *
 * @module
 */

import { KNOCK_ANSWER_MS, MAX_UNANSWERED_EMPTY_DATA, UNCONFIRMED_ID_REST_MS } from "./limits.ts";

/** What is known of one server, on one link. */
export class Knocks {
  readonly #ids: number;
  readonly #used = new Set<number>();
  /** When a CLOSE was sent for an id, and how many were not answered. */
  readonly #closes = new Map<number, { count: number; at: number }>();
  #closeId = 0;
  #answers: "nothing" | "close" | "empty-data" = "nothing";
  #emptyDataSent = 0;
  #secondTryAt = Infinity;

  /** Nothing is known yet; the server has `ids` client ids. */
  constructor(ids: number) {
    this.#ids = ids;
  }

  /** Whether silence after a knock would be the server's. */
  get answered(): boolean {
    return this.#answers === "close" || this.emptyDataId !== undefined;
  }

  /** When {@linkcode Knocks.secondTry} is due. */
  get deadline(): number {
    return this.#secondTryAt;
  }

  /** The id to knock with by CLOSE: the one that ended last is the last that a server hands out again. */
  get closeId(): number {
    return this.#closeId;
  }

  /** The id to knock with by DATA of size 0, if that is the server's way and can be gone now. */
  get emptyDataId(): number | undefined {
    return this.#answers === "empty-data" ? this.#neverUsed : undefined;
  }

  /** The server has handed an id out, or named it otherwise. */
  used(id: number): void {
    this.#used.add(id);
    this.#closes.delete(id);
  }

  /** A channel has ended. */
  ended(id: number): void {
    this.#closeId = id;
  }

  /** A CLOSE is sent for an id that is not in use. */
  sentClose(id: number, now: number): void {
    if (this.#answers === "empty-data") return; // it drops this one, which only keeps a NAT's mapping
    this.#closes.set(id, { count: (this.#closes.get(id)?.count ?? 0) + 1, at: now });
    if (this.#answers === "nothing" && this.#emptyDataSent < MAX_UNANSWERED_EMPTY_DATA) {
      this.#secondTryAt = now + KNOCK_ANSWER_MS;
    }
  }

  /** DATA of size 0 is sent. */
  sentEmptyData(): void {
    this.#emptyDataSent++;
  }

  /** The id for which DATA of size 0 is to be sent now, as the CLOSE before was not answered. */
  secondTry(now: number): number | undefined {
    if (now < this.#secondTryAt) return undefined;
    this.#secondTryAt = Infinity;
    return this.#neverUsed;
  }

  /** Whether a CLOSE that came for an id without a channel answers a knock. */
  isAnswer(id: number, now: number): boolean {
    if (id === this.#neverUsed && this.#emptyDataSent > 0 && this.#answers !== "close") {
      this.#answers = "empty-data";
      this.#closes.clear(); // it drops those
      return true;
    }
    const close = this.#closes.get(id);
    if (!close) return false;
    if (--close.count === 0) this.#closes.delete(id);
    if (now - close.at >= UNCONFIRMED_ID_REST_MS) return true;
    this.#answers = "close";
    this.#secondTryAt = Infinity;
    return true;
  }

  /** The last id but one in the order of the original server, if it is far from being handed out. */
  get #neverUsed(): number | undefined {
    const id = this.#ids - 1;
    return this.#used.size < this.#ids / 2 && !this.#used.has(id) ? id : undefined;
  }
}
