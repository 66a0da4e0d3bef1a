/**
 * Links that come up one after the other and carry nothing: a path that lets a handshake through, and then drops what is
 * larger. Its MTU shrank, and the ICMP that would say so is filtered (RFC 2923, "black hole").
 *
 * The kernel finds out in some 20 s, where it is told to look (`net.ipv4.tcp_mtu_probing`), but only on a connection that
 * lives as long. So such a session's links get that time.
 *
 * @module
 */

import { FRUITLESS_LINKS, FRUITLESS_MS, PATIENT_SILENCE_MS } from "../limits.ts";
import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";

/** What a session's links have come to. */
export interface Progress {
  /** Position up to which was received. */
  readonly received: number;
  /** Position up to which the peer has acknowledged. */
  readonly acknowledged: number;
  /** The last round trip on the link; none if its PING was not answered. */
  readonly roundTrip: number | undefined;
}

/** What is said of such a path. */
export const FRUITLESS_HINT =
  "links come up and then carry nothing: the path may drop packets above a smaller MTU and " +
  "tell nobody (ICMP is filtered); lower the MTU of this machine's interface, or set net.ipv4.tcp_mtu_probing=1 on both";

/** Counts the links in a row that carried nothing. Times are in milliseconds. */
export class FruitlessLinks {
  /** How many, up to now. */
  count = 0;
  #since = 0;
  #received = 0;
  #acknowledged = 0;

  /** A link is up. */
  begin({ received, acknowledged }: Progress, now: number): void {
    this.#since = now;
    this.#received = received;
    this.#acknowledged = acknowledged;
  }

  /** Something came on it. @returns whether that is more than a handshake: then the count starts over. */
  look({ received, acknowledged, roundTrip }: Progress): boolean {
    const carries = received > this.#received || acknowledged > this.#acknowledged || roundTrip !== undefined;
    if (carries) this.count = 0;
    return carries;
  }

  /** It has ended; a short one says nothing. @returns whether it makes them enough. */
  end(progress: Progress, now: number): boolean {
    if (this.look(progress) || now - this.#since < FRUITLESS_MS) return false;
    return ++this.count === FRUITLESS_LINKS;
  }

  /** Whether the next link may be silent for longer. */
  get enough(): boolean {
    return this.count >= FRUITLESS_LINKS;
  }

  /** The longest silence accepted on the next link. */
  patient(settings: KeepAliveSettings): KeepAliveSettings {
    const { idleTimeout, probeInterval, probeCount } = settings;
    if (!this.enough || idleTimeout < 0 || probeInterval <= 0 || probeCount === 0) return settings;
    const probes = Math.ceil((PATIENT_SILENCE_MS - idleTimeout) / probeInterval);
    return { ...settings, probeCount: Math.max(probeCount, probes) };
  }
}
