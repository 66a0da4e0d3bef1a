/**
 * What is demanded of a peer that sends and acknowledges nothing; `v2.md`, "Acknowledgement, and what may be on the way".
 *
 * @module
 */

import { ACK_PROBE_MS, ACK_TIMEOUT_MS } from "../limits.ts";
import { ProtocolError, UnansweredError } from "../../errors.ts";
import type { V2Sender } from "./sender.ts";

/** Watches over one session's acknowledgements. Times are in milliseconds. */
export class AckDemand {
  readonly #sender: V2Sender;
  /** When it was asked by a PING, for want of progress. */
  #askedAt: number | undefined;

  /** A watch over what `sender` has sent. */
  constructor(sender: V2Sender) {
    this.#sender = sender;
  }

  /** The link is another one. */
  reset(): void {
    this.#askedAt = undefined;
  }

  /** Whether so much is kept of control frames that nothing new is to add to it. */
  get congested(): boolean {
    return this.#sender.keptControl > this.#sender.controlLimit / 2;
  }

  /**
   * The peer has sent something.
   *
   * @returns whether it is to be asked by a PING: what it answers says whether it lies, or the path is slow.
   * @throws {ProtocolError} `not-acknowledged`; {UnansweredError} if the path may carry nothing to it.
   */
  heard(now: number): boolean {
    const { keptControl, controlLimit } = this.#sender;
    if (keptControl > controlLimit) {
      throw new ProtocolError("not-acknowledged", `Cannot keep ${keptControl} bytes that wait for an acknowledgement`);
    }
    const unanswered = this.#sender.unanswered(now);
    if (unanswered < ACK_PROBE_MS) {
      this.#askedAt = undefined;
      return false;
    }
    // From when it was asked: a machine that slept wakes up with all of its time gone.
    if (this.#askedAt !== undefined && now - this.#askedAt >= ACK_TIMEOUT_MS - ACK_PROBE_MS) {
      throw new UnansweredError(unanswered);
    }
    const asks = this.#askedAt === undefined;
    this.#askedAt ??= now;
    return asks;
  }

  /**
   * A PONG says that all up to `position` was received; `sent` stood before its PING.
   *
   * @throws {ProtocolError} `bad-position`.
   */
  answered(position: number, sent: number): void {
    if (position >= sent) return;
    throw new ProtocolError("bad-position", `PONG says ${position}, and its PING stood behind ${sent}`);
  }
}
