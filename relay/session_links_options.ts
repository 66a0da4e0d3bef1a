/**
 * What the links of a v2 session need to be told.
 *
 * @module
 */

import type { KeepAlivePlan } from "../protocol/keep_alive.ts";
import type { V2SessionCore } from "../protocol/v2/session_core.ts";
import type { Clock } from "../base/clock.ts";
import type { LinkEnd } from "./link/end.ts";

/** What a session's links need. */
export interface SessionLinksOptions {
  /** The session; it ends when the last link has. */
  readonly session: V2SessionCore;
  readonly clock: Clock;
  /** Milliseconds that the peer may take nothing; negative for ever. */
  readonly writeTimeout: number;
  /** The longest silence accepted from the peer. */
  readonly keepAlive: KeepAlivePlan;
  /** Whether the first probe after a silence is left to a peer that probes as soon. @default {false} */
  readonly leavesProbes?: boolean;
  /** Milliseconds that the session outlives a link; 0: not at all. */
  readonly expiration: number;
  /** Called now and then with what links cost since the last time; `carried`: while a channel was open. */
  onBytes?(bytes: number, carried: boolean): void;
  /** Called when a link has ended and the session waits for another. */
  onInterrupted(end: LinkEnd): void;
  /** Called when so many links in a row carried nothing that the next one may be silent for longer; `hint` is for people. */
  onFruitless?(hint: string): void;
}
