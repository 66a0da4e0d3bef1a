/**
 * Whose turn it is to dial. Dials that nobody answers stay for seconds: were there a bound on all alone, one service behind
 * a silent firewall would keep the clients of all others waiting.
 *
 * So an address may have a part of what is free. However many do not answer, something is left for the next one; and when
 * that is little, each has a few that others cannot take.
 *
 * @module
 */

import { DIAL_SHARE, MAX_DIALS, MAX_SHARED_DIALS, MIN_DIALS_PER_ADDRESS } from "../limits.ts";

/** What is dialled. */
interface Target {
  readonly address: string;
  underWay: number;
  /** Those who wait, in the order in which they came. */
  readonly waiting: Set<() => void>;
}

/** Counts dials by the address that they go to. */
export class DialTurns {
  readonly #targets = new Map<string, Target>();
  /** Those for which somebody waits, in the order of their turns. */
  readonly #waiting = new Set<Target>();
  #underWay = 0;

  /** Calls `begin` when its turn comes, perhaps at once; {@linkcode DialTurns.leave} has to follow then. */
  enter(address: string, begin: () => void): void {
    const target = this.#targets.get(address) ?? { address, underWay: 0, waiting: new Set() };
    this.#targets.set(address, target);
    if (target.waiting.size === 0 && this.#mayBegin(target)) return this.#begin(target, begin);
    target.waiting.add(begin);
    this.#waiting.add(target);
  }

  /** Waits no more. Idempotent, and nothing for one that has begun. */
  withdraw(address: string, begin: () => void): void {
    const target = this.#targets.get(address);
    if (target?.waiting.delete(begin)) this.#tidy(target);
  }

  /** A dial that had begun is over, and its socket is closed or somebody's. */
  leave(address: string): void {
    const target = this.#targets.get(address)!;
    target.underWay--;
    this.#underWay--;
    this.#tidy(target);
    while (this.#beginSome());
  }

  /** What whoever waits for a turn waits for, in words. */
  reason(address: string): string {
    const own = this.#targets.get(address)?.underWay ?? 0;
    return own > 0 ? `${own} others to ${address} are under way` : `${this.#underWay} others are under way`;
  }

  /** One for each target that may have one. @returns whether there was any. */
  #beginSome(): boolean {
    let some = false;
    for (const target of [...this.#waiting]) {
      const [begin] = target.waiting;
      if (!begin || !this.#mayBegin(target)) continue;
      target.waiting.delete(begin);
      this.#waiting.delete(target); // its next turn comes after those of all others
      if (target.waiting.size > 0) this.#waiting.add(target);
      this.#begin(target, begin);
      some = true;
    }
    return some;
  }

  #begin(target: Target, begin: () => void): void {
    target.underWay++;
    this.#underWay++;
    begin();
  }

  #mayBegin({ underWay }: Target): boolean {
    if (underWay < MIN_DIALS_PER_ADDRESS) return this.#underWay < MAX_DIALS;
    return underWay < (MAX_SHARED_DIALS - this.#underWay) / DIAL_SHARE;
  }

  #tidy(target: Target): void {
    if (target.waiting.size > 0) return;
    this.#waiting.delete(target);
    if (target.underWay === 0) this.#targets.delete(target.address);
  }
}
