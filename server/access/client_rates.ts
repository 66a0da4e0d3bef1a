/**
 * How many new clients a service may have in a time, in all and from each address.
 *
 * @module
 */

import { MAX_RATED_ADDRESSES } from "../limits.ts";
import { TokenBucket } from "./token_bucket.ts";

/** So many in so long; as many at once. */
export interface ClientRate {
  /** How many. */
  readonly count: number;
  /** Milliseconds in which. */
  readonly per: number;
}

/** A bucket for all, and one for each address that came lately. */
export class ClientRates {
  #all: TokenBucket | undefined;
  #each: ClientRate | undefined;
  readonly #addresses = new Map<string, TokenBucket>();

  /** Goes by other rates: who came before them is forgotten. */
  change(all: ClientRate | undefined, each: ClientRate | undefined, now: number): void {
    this.#all = all && bucketOf(all, now);
    this.#each = each;
    this.#addresses.clear();
  }

  /**
   * One comes from `site`. Who is refused for his own address takes nothing from the others.
   *
   * @returns which rate he is beyond, if any.
   */
  take(site: string, now: number): "address" | "all" | undefined {
    if (this.#each && this.#bucket(site, this.#each, now).take(1, now) > 0) return "address";
    return this.#all && this.#all.take(1, now) > 0 ? "all" : undefined;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#addresses.size;
  }

  /**
   * Who was not there for longest is forgotten first: that gives him a full bucket, so nobody loses by it that others come
   * from many addresses.
   */
  #bucket(site: string, rate: ClientRate, now: number): TokenBucket {
    const bucket = this.#addresses.get(site) ?? bucketOf(rate, now);
    this.#addresses.delete(site);
    for (const [oldest, other] of this.#addresses) {
      if (this.#addresses.size < MAX_RATED_ADDRESSES && !other.isFull(now)) break;
      this.#addresses.delete(oldest);
    }
    this.#addresses.set(site, bucket);
    return bucket;
  }
}

function bucketOf({ count, per }: ClientRate, now: number): TokenBucket {
  return new TokenBucket(count / per, Math.max(1, count), now);
}
