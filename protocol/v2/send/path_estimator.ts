/**
 * How much may be unacknowledged on a link: enough to keep its path busy, and not so much that a keystroke waits long.
 *
 * @module
 */

import {
  LEAST_ROUND_TRIP_MS,
  MAX_ON_THE_WAY,
  MIN_ON_THE_WAY,
  ON_THE_WAY_SLACK_MS,
  PROBE_ON_THE_WAY,
  START_ON_THE_WAY,
} from "../limits.ts";
import { DeliveryRate } from "./delivery_rate.ts";
import { ProtocolError } from "../../errors.ts";
import { AT, CLEAN, END, FlaggedFrames, FROM, FROM_AT, MARKS, OPEN, OPEN_AT, UNDEMANDING } from "./flagged_frames.ts";
import { RoundTripLook } from "./round_trip_look.ts";

/** A round trip that is longer by no more than this confirms the least one. */
const CONFIRMS = 1.125;

/** Round trips between two looks for the least one, at least. A look loses about two, so it costs 2 % at most. */
const LOOK_EVERY = 100;

/**
 * A control loop of one link and one direction, without a clock of its own: `now` is in milliseconds, with fractions.
 *
 * ```
 * limit = (2 × least round trip + 5 ms) × rate of delivery        16 KiB … 16 MiB, 64 KiB at first
 * ```
 *
 * The path holds rate × round trip; twice that lets acknowledgements come in quarters and growth be seen, and 5 ms
 * stand for the turns of two event loops. What is beyond the path waits in its narrowest queue: one round trip + 5 ms.
 * While the path is not full, each round trip shows about twice the rate of the one before: slow start needs no
 * mode of its own.
 *
 * The estimates are those of BBR (Cardwell et al., "BBR: Congestion-Based Congestion Control", 2016, and "Delivery Rate
 * Estimation", draft-cheng-iccrg-delivery-rate-estimation), for a stream that TCP keeps whole:
 *
 * - **rate**, bytes per ms: what was acknowledged from the time that a flagged frame was sent to the time that it was
 *   acknowledged, or was sent in the time before, whichever is slower. The highest of the last 2 to 4 round trips
 *   counts, so one late turn of an event loop changes nothing. A sender that had nothing to send can only raise it.
 * - **least round trip**: the least that was seen. Any round trip is an upper bound of it. But under load all of them
 *   contain our own queue, so after 10 s (or when the rate falls) what is on the way is held to 2 KiB until that queue
 *   has gone and the path shows its own round trip. That costs two round trips in a hundred at most.
 *
 * A path that was empty is filled with what it holds first, and the rest follows with the acknowledgements: the whole
 * limit at once would wait twice as long in the queue.
 *
 * The owner sends while {@linkcode PathEstimator.room} is above 0, and cuts a frame of data to it. Control frames need
 * not ask, nor what else is small and urgent.
 */
export class PathEstimator {
  // Positions: counts of numbered bytes.
  #sent = 0;
  #acknowledged = 0;
  #sentAt: number;

  // Flagged frames that are not acknowledged, oldest first, and the last one that was.
  readonly #asked = new FlaggedFrames();
  #flagged = 0;
  #flagAt: number;
  #from = 0;
  #fromAt: number;
  #open = 0;
  #openAt: number;

  // Whether the limit, and not a lack of bytes, is what bounds the sender; and up to where it was not.
  #limited = false;
  #sentThen = 0;
  #undemandingUntil = 0;

  // The rate, and the round trip at hand: the position at which it ends, and the least in it.
  readonly #rate = new DeliveryRate();
  #roundEnd = 0;
  #roundLeast = Infinity;

  // The least round trip, until when it holds, and the look for it under load.
  #least = Infinity;
  #staleAt = -Infinity;
  readonly #look: RoundTripLook;
  #emptyAt = 0; // position up to which the path was empty last

  #limit = START_ON_THE_WAY;
  #most = MAX_ON_THE_WAY;

  /**
   * A link of which nothing is known. Where it goes on with a session, all before `acknowledged` was acknowledged on
   * others, and what follows up to `sent` is on the way again.
   */
  constructor(now: number, acknowledged = 0, sent = acknowledged) {
    this.#acknowledged = this.#from = this.#emptyAt = acknowledged;
    this.#sent = this.#open = this.#flagged = sent;
    this.#flagAt = sent === 0 ? START_ON_THE_WAY / 4 : sent;
    this.#undemandingUntil = this.#roundEnd = sent;
    this.#sentAt = this.#fromAt = this.#openAt = now;
    this.#look = new RoundTripLook(now);
  }

  /** Bytes that may be on the way. While nobody is asked to acknowledge there is always room for another frame. */
  get limit(): number {
    const limit = this.#bound;
    return this.#asked.count > 0 ? limit : Math.max(limit, this.onTheWay + PROBE_ON_THE_WAY);
  }

  /** What the limit is held to for the sake of others, in bytes; at least {@linkcode MIN_ON_THE_WAY}. */
  set most(bytes: number) {
    const most = Math.min(MAX_ON_THE_WAY, Math.max(MIN_ON_THE_WAY, bytes));
    if (most === this.#most) return;
    this.#most = most;
    this.#schedule();
  }

  /** Bytes sent and not acknowledged. */
  get onTheWay(): number {
    return this.#sent - this.#acknowledged;
  }

  /**
   * Bytes that the next frame may have: a quarter of the limit at most, so that answers come while others are on the
   * way. An owner that does not care for small frames may wait for as much as 2 KiB; more could be waited for in vain.
   */
  get room(): number {
    const limit = this.limit;
    return Math.max(0, Math.min(limit - this.onTheWay, Math.max(PROBE_ON_THE_WAY, limit >> 2)));
  }

  /** The path's round trip in milliseconds as far as is known; `Infinity` before the first. */
  get leastRoundTrip(): number {
    return this.#least;
  }

  /** What the path delivers, in bytes a millisecond; 0 before that is known. */
  get rate(): number {
    return this.#rate.value;
  }

  /** Bytes were queued, `size` of them, all numbered. @returns whether they are to carry "acknowledge at once". */
  sent(size: number, now: number): boolean {
    if (this.#asked.count === 0 && (this.onTheWay === 0 || now - this.#sentAt > 2 * this.#least)) this.#wake(now);
    this.#sentAt = now;
    this.#sent += size;
    if (this.#sent < this.#flagAt || this.#asked.full) return false;
    this.#flag(now);
    return true;
  }

  /**
   * The peer has received all up to `position`, be it asked or not.
   *
   * @throws {ProtocolError} `bad-position` if that was never sent, or goes back.
   */
  acknowledged(position: number, now: number): void {
    if (!(position >= this.#acknowledged && position <= this.#sent)) {
      throw new ProtocolError(
        "bad-position",
        `Cannot take position ${position}: current range is ${this.#acknowledged} to ${this.#sent}`,
      );
    }
    if (position === this.#acknowledged) return;
    this.#watchDemand();
    const answered = this.#asked.take(position);
    this.#acknowledged = position;
    this.#look.acknowledged(position, now);
    if (answered) this.#sample(now);
  }

  /** A round trip that was seen otherwise, as with PING and PONG: it keeps what is known of an idle path from going stale. */
  confirm(roundTrip: number, now: number): void {
    this.#least = Math.min(this.#least, roundTrip);
    if (this.#staleAt > -Infinity && roundTrip <= this.#least * CONFIRMS) this.#fresh(now);
    this.#update();
  }

  /** What is in force: the limit, unless a look for the least round trip goes on. */
  get #bound(): number {
    return this.#look.goesOn ? PROBE_ON_THE_WAY : Math.min(this.#limit, this.#most);
  }

  /** The path is empty, said or not: time begins now, and a round trip would be clean. */
  #wake(now: number): void {
    this.#from = this.#open = this.#sent;
    this.#fromAt = this.#openAt = now;
    this.#emptyAt = this.#sent;
    this.#update();
    if (now > this.#staleAt || this.#look.goesOn) this.#flagAt = this.#sent;
  }

  #flag(now: number): void {
    const frame = this.#asked.add();
    const queued = Math.min(this.onTheWay, this.#sent - this.#emptyAt);
    const clean = this.#look.drained || queued <= PROBE_ON_THE_WAY;
    frame[END] = this.#sent;
    frame[AT] = now;
    frame[FROM] = this.#from;
    frame[FROM_AT] = this.#fromAt;
    frame[OPEN] = this.#open;
    frame[OPEN_AT] = this.#openAt;
    frame[MARKS] = (this.#look.goesOn || this.#acknowledged < this.#undemandingUntil ? UNDEMANDING : 0) |
      (clean ? CLEAN : 0);
    this.#flagged = this.#sent;
    this.#schedule();
  }

  #schedule(): void {
    const filling = this.#acknowledged < this.#emptyAt + this.#least * this.#rate.value;
    this.#flagAt = this.#flagged + this.#bound / (filling ? 8 : 4);
  }

  /** Sees, before an acknowledgement counts, whether the sender has used its room; several may come in one read. */
  #watchDemand(): void {
    if (this.#sent === this.#sentThen) return;
    this.#sentThen = this.#sent;
    this.#limited = this.onTheWay >= this.#bound * 7 / 8;
    if (!this.#limited) this.#undemandingUntil = this.#sent;
  }

  /** A round trip that is longer than that is not what the limit would make of the least one. */
  get #longRoundTrip(): number {
    return 2 * CONFIRMS * this.#least + 2 * ON_THE_WAY_SLACK_MS;
  }

  #sample(now: number): void {
    const frame = this.#asked.taken;
    const position = this.#acknowledged;
    const from = frame[FROM]!;
    const delivered = (position - from) / (now - frame[FROM_AT]!);
    const offered = (frame[END]! - frame[OPEN]!) / (frame[AT]! - frame[OPEN_AT]!);
    const roundTrip = now - frame[AT]!;
    // Whatever held the sender (credit, its kernel): where there is a queue, the path had enough to do.
    const queued = roundTrip > this.#longRoundTrip;
    const demanding = queued || this.#limited && (frame[MARKS]! & UNDEMANDING) === 0;
    this.#from = position;
    this.#fromAt = now;
    this.#open = frame[END]!;
    this.#openAt = frame[AT]!;

    this.#seeRoundTrip(roundTrip, (frame[MARKS]! & CLEAN) !== 0, now);
    const rate = Math.min(delivered, offered);
    const round = from >= this.#roundEnd;
    if (round) this.#roundEnd = position;
    if (rate < Infinity) this.#rate.saw(rate, demanding, round);
    this.#look.sawRate(this.#rate.value);
    const longer = round && this.#roundLeast > this.#longRoundTrip;
    this.#roundLeast = round ? roundTrip : Math.min(this.#roundLeast, roundTrip);
    if (!this.#look.goesOn && this.#limited && this.#lookIsDue(longer, now)) this.#beginLook(now);
    this.#update();
  }

  #seeRoundTrip(roundTrip: number, clean: boolean, now: number): void {
    this.#least = Math.min(this.#least, roundTrip);
    if (this.#look.goesOn) {
      if (clean && this.#look.saw(roundTrip, now)) this.#looked(now);
    } else if (clean && now > this.#staleAt) {
      this.#least = roundTrip;
      this.#fresh(now);
    } else if (roundTrip <= this.#least * CONFIRMS && this.#staleAt > -Infinity) {
      this.#fresh(now);
    }
  }

  #fresh(now: number): void {
    this.#staleAt = now + Math.max(LEAST_ROUND_TRIP_MS, LOOK_EVERY * this.#least);
  }

  #lookIsDue(longer: boolean, now: number): boolean {
    return now > this.#staleAt || this.#look.isDueAgain(longer, this.#rate.value, this.#least, now);
  }

  #beginLook(now: number): void {
    this.#look.begin(this.#sent, this.onTheWay === 0, now);
    this.#rate.mark();
  }

  #looked(now: number): void {
    const { seen } = this.#look;
    // The path is as long as it was: what came while its queue drained is its rate, however much it was before.
    if (seen <= this.#least * CONFIRMS) this.#rate.forget();
    this.#least = seen;
    this.#fresh(now);
    this.#look.end(this.#rate.value, now);
    this.#emptyAt = this.#sent;
    this.#limited = false;
    this.#undemandingUntil = this.#sent;
    this.#flagged = Math.min(this.#flagged, this.#sent - this.#limit); // the next frame asks
  }

  #update(): void {
    const rate = this.#rate.value;
    if (rate === 0) return this.#schedule();
    const floor = this.#rate.settled ? MIN_ON_THE_WAY : START_ON_THE_WAY;
    const path = this.#least * rate;
    const more = Math.max(0, Math.min(path, this.#acknowledged - this.#emptyAt));
    const held = path + more + ON_THE_WAY_SLACK_MS * rate;
    this.#limit = Math.min(MAX_ON_THE_WAY, Math.max(floor, Math.floor(held)));
    this.#schedule();
  }
}
