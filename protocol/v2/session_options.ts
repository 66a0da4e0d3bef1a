/**
 * What a v2 session needs, and what it tells, whatever its role.
 *
 * @module
 */

import type { Time } from "../../base/clock.ts";
import type { Goodbye } from "./wire/goodbye.ts";
import type { WindowBudget } from "./receive_windows.ts";
import type { SendLog } from "./send/send_log.ts";
import type { Settings } from "./wire/messages.ts";

/** What a link of either role tells its owner. */
export interface V2LinkEvents {
  /** The peer takes its leave: close the connection. */
  onGoodbye(goodbye: Goodbye): void;
  /** The peer says what is in force, or what it wants. */
  onSettings(settings: Settings): void;
}

export interface V2CoreOptions {
  readonly time: Time;
  /** What may be granted. */
  readonly budget: WindowBudget;
  /** Keeps what is sent until it is acknowledged; without, the session ends with its first link. */
  readonly log?: SendLog | undefined;
  /** Whether both sides have `ADAPTS`. @default {false} */
  readonly adapts?: boolean;
}
