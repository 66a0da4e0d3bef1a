/**
 * What a device asks its server before it offers anything: which of its services would be opened.
 *
 * @module
 */

import type { GrantCode, ServiceGrantResult, ServiceOffer } from "../protocol/v2/wire/messages.ts";

/** A question that is open until the server has answered for each service, or another is asked. */
export class GrantQuestion {
  readonly #waiting = new Set<number>();
  #codes: GrantCode[] = [];
  #onAnswered: (codes: readonly GrantCode[]) => void = () => {};

  /** Asks for what `offers` names; `send` says it to the server. Resolves with the answers, once all are there. */
  ask(offers: readonly ServiceOffer[], send: (asked: ServiceOffer[]) => void): Promise<readonly GrantCode[]> {
    const { promise, resolve } = Promise.withResolvers<readonly GrantCode[]>();
    this.#waiting.clear();
    for (const { number } of offers) this.#waiting.add(number);
    this.#codes = [];
    this.#onAnswered = resolve;
    send(offers.map((offer) => ({ ...offer, offered: false, asked: true })));
    return promise;
  }

  /** The server answered, maybe for something else. */
  learn(results: readonly ServiceGrantResult[]): void {
    if (this.#waiting.size === 0) return;
    for (const { number, code } of results) if (this.#waiting.delete(number)) this.#codes.push(code);
    if (this.#waiting.size === 0) this.#onAnswered(this.#codes);
  }
}
