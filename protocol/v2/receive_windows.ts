/**
 * The credit that a receiver grants: what the sinks of all channels of a link may have to hold, and no more.
 *
 * @module
 */

import { MAX_WINDOW, ON_THE_WAY_SLACK_MS, START_WINDOW, V2_MAX_CHANNELS } from "./limits.ts";
import { ProtocolError } from "../errors.ts";
import { SharedBound } from "./send/shared_bound.ts";

/** Up to this share of a bound windows grow; the rest is kept for the first windows of channels to come. */
const GROWING_SHARE = 7 / 8;

/**
 * First windows: while less than a share of the bound is granted, a channel gets so much. Credit that was granted cannot
 * be taken back from one that is idle, so the more there are, the smaller they begin, and more than a third of the bound
 * is left to those that are busy. With 64 MiB there is room for 128 + 512 + 2,048 + 4,096 + 8,192 channels, and for
 * 65,536 more in the last eighth.
 */
const TIERS: readonly (readonly [share: number, size: number])[] = [
  [1 / 8, START_WINDOW],
  [1 / 4, START_WINDOW / 4],
  [3 / 8, START_WINDOW / 16],
  [1 / 2, START_WINDOW / 32],
  [5 / 8, START_WINDOW / 64],
];

/** A window that is not used up in so many times what makes it grow is halved. */
const SLOW = 4;

/**
 * Bytes that may be granted at once: by a link, or with it as the parent, by a process. The links of a process share its
 * bound as {@linkcode SharedBound} has it: windows grow within a link's share and what others leave of the common half;
 * the rest is for first windows.
 */
export class WindowBudget {
  readonly #bound: number;
  readonly #parent: WindowBudget | undefined;
  readonly #shared: SharedBound;
  #granted = 0;
  #closed = false;

  /** A budget of `bound` bytes, within that of its parent until it is closed. */
  constructor(bound: number, parent?: WindowBudget) {
    this.#bound = bound;
    this.#parent = parent;
    this.#shared = new SharedBound(bound);
    if (parent) parent.#shared.join();
  }

  /** Bytes that are granted. */
  get granted(): number {
    return this.#granted;
  }

  /** Takes `size` bytes, or as many as there are here and at the parent. @returns how many. */
  take(size: number): number {
    const here = Math.max(0, Math.min(size, this.#bound - this.#granted));
    const taken = this.#parent ? Math.min(here, this.#parent.#shared.room(this.#granted)) : here;
    this.charge(taken);
    return taken;
  }

  /** Counts `size` bytes that are held anyway, bound or not. */
  charge(size: number): void {
    this.#granted += size;
    if (this.#parent) {
      this.#parent.#granted += size;
      this.#parent.#shared.held += size;
    }
  }

  /** Gives back what was taken or counted. */
  give(size: number): void {
    this.charge(-size);
  }

  /** The link is over: others may have its share. Idempotent. */
  close(): void {
    if (!this.#closed && this.#parent) this.#parent.#shared.leave();
    this.#closed = true;
  }

  /** What may be granted here, as long as others take no more. */
  get #cap(): number {
    return this.#parent ? Math.min(this.#bound, this.#parent.#shared.limit(this.#granted)) : this.#bound;
  }

  /** The window that a new channel gets: so much that there is some for 65,536 of them. */
  get first(): number {
    const cap = this.#cap;
    const tier = TIERS.find(([share]) => this.#granted < share * cap);
    const size = tier ? Math.min(tier[1], Math.floor(cap / 4)) : 0;
    return Math.max(1, size, Math.floor((1 - GROWING_SHARE) * cap / V2_MAX_CHANNELS));
  }

  /**
   * The largest window that a channel may have now: half of what is free. So n channels that want all come to hold
   * 1 ÷ (n + 2) of the bound each, without knowing of each other, and something stays free for the next (Choudhury and
   * Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998).
   */
  get largest(): number {
    return Math.max(0, (GROWING_SHARE * this.#cap - this.#granted) / 2);
  }
}

/**
 * What the peer may send on a channel, seen from its receiver.
 *
 * ```
 * granted and not yet received (credit) + received and not yet consumed (held)  ≤  window
 * ```
 *
 * Both parts count against the budget: they are what this side may come to hold. Credit goes back once half a window
 * can be granted. A window that grows ends at two to four times what comes in the time of `2 × round trip + 5 ms`, so
 * the other half bridges that time, and one CREDIT for each half is a quarter of the frames that an eighth would cost.
 *
 * A window doubles when it was consumed within two round trips (and 5 ms, for the turns of event loops, as the path's
 * own limit has them), up to 8 MiB and to its share of the budget. It is halved for each time that it was not consumed
 * in four times that, down to what it began with; what it had beyond returns to the budget with the next bytes consumed, as credit
 * once granted cannot be taken back. What it began with stays its own until it is closed: so it never comes to a stand.
 */
export class ReceiveWindow {
  /** Bytes to state in CONNECT or RESULT. */
  readonly initial: number;
  /** Bytes of the budget that are this channel's until it is closed. 0: the bound is reached, and it has to be refused. */
  readonly reserved: number;

  readonly #budget: WindowBudget;
  #taken: number;
  #credit: number;
  #held = 0;
  // Bytes beyond the window that may come before the peer has heard of it, and those that did.
  #early: number;
  #earlyHeld = 0;
  #untold: number; // bytes of the window that the peer has not heard of

  // What it would be with an ample budget, what it is, and how fast it is used up.
  #wanted: number;
  #window: number;
  #used = 0;
  #since: number;

  /**
   * A window for a new channel. `early`: bytes that the peer may send by the profile, and no more, until it is told of
   * this window by {@linkcode ReceiveWindow.tell}, which then stands in their place; 0: it is told at once. They are
   * taken also where the budget is short, as so few channels are on their way at once that they need none.
   */
  constructor(budget: WindowBudget, now: number, early = 0) {
    this.#budget = budget;
    this.reserved = this.#taken = budget.take(budget.first);
    this.initial = this.reserved;
    this.#untold = early > 0 ? Math.max(0, this.reserved - early) : 0;
    this.#credit = this.reserved - this.#untold;
    this.#early = Math.max(0, early - this.reserved);
    this.#wanted = this.#window = this.reserved;
    this.#since = now;
  }

  /** Bytes that the peer may still send. */
  get credit(): number {
    return this.#credit + this.#early;
  }

  /** The peer is told of the window: from here on it may use all of it. */
  tell(): void {
    this.#credit += this.#untold;
    this.#untold = 0;
  }

  /** The size that it has now, in bytes. */
  get size(): number {
    return this.#window;
  }

  /**
   * The peer sent `size` bytes.
   *
   * @throws {ProtocolError} `credit-exceeded` if that is more than it may.
   */
  received(size: number): void {
    if (size > this.credit) {
      throw new ProtocolError("credit-exceeded", `Cannot take ${size} bytes: current credit is ${this.credit}`);
    }
    const granted = Math.min(size, this.#credit);
    this.#credit -= granted;
    this.#held += granted;
    this.#early -= size - granted;
    this.#earlyHeld += size - granted;
  }

  /**
   * The sink has taken `size` bytes of what was received. Times are in milliseconds; a `roundTrip` that is not known
   * may be `Infinity`.
   *
   * @returns the credit to send now, which then counts as granted; 0: nothing yet.
   */
  consumed(size: number, now: number, roundTrip: number): number {
    const early = Math.min(size, this.#earlyHeld);
    this.#earlyHeld -= early;
    this.#held -= size - early;
    this.#used += size - early;
    this.#adapt(now, roundTrip < Infinity ? roundTrip : 0);
    const promised = this.#credit + this.#held;
    const window = Math.max(this.reserved, Math.floor(Math.min(this.#wanted, this.#budget.largest)));
    let credit = window - promised;
    if (this.#taken === 0 || credit * 2 < window) credit = 0;
    else this.#window = window;
    credit = this.#hold(promised + credit) - promised;
    if (credit <= 0) return early;
    this.#credit += credit;
    return credit + early; // what came early counts against what the peer was granted: it is given back as it goes
  }

  /** Gives all back to the budget. Idempotent; nothing may be received after that. */
  close(): void {
    this.#budget.give(this.#taken);
    this.#taken = 0;
    this.#credit = 0;
    this.#early = 0;
    this.#untold = 0;
  }

  /** Takes from the budget or gives back, so that `size` bytes are covered if it can be. @returns how many are. */
  #hold(size: number): number {
    if (this.#taken === 0) return 0;
    const target = Math.max(this.reserved, size);
    if (target > this.#taken) this.#taken += this.#budget.take(target - this.#taken);
    else if (target < this.#taken) {
      this.#budget.give(this.#taken - target);
      this.#taken = target;
    }
    return Math.min(size, this.#taken);
  }

  #adapt(now: number, roundTrip: number): void {
    const quick = 2 * roundTrip + ON_THE_WAY_SLACK_MS;
    const took = now - this.#since;
    if (took > SLOW * quick) {
      const halvings = Math.min(8, Math.floor(took / (SLOW * quick)));
      this.#wanted = Math.max(this.reserved, this.#wanted / 2 ** halvings);
    } else if (this.#used < this.#window) return;
    else if (took <= quick) this.#wanted = Math.min(MAX_WINDOW, Math.max(START_WINDOW, this.#window * 2));
    this.#used = 0;
    this.#since = now;
  }
}
