/**
 * What the server's resources are read from, and what acts on them.
 *
 * @module
 */

import type { Reloaded } from "../../app/reload/report.ts";
import type { ServerEvent } from "../events.ts";
import type { StateView } from "../state/state.ts";
import type { History } from "../history/history.ts";
import type { ServerCore, ServerHandle } from "../server.ts";
import type { EventRing } from "../../app/admin/event_ring.ts";
import type { Registry } from "../../app/metrics/registry.ts";
import type { DeviceSeries } from "../metrics/survey.ts";
import type { Outlets } from "./outlets.ts";

/** What routes work with. */
export interface AdminContext {
  readonly server: ServerHandle;
  readonly core: ServerCore;
  /** The state; a server of v1 alone has none. */
  readonly state: StateView | undefined;
  readonly events: EventRing<ServerEvent>;
  readonly metrics: Registry;
  /** Which of the metrics there are. */
  readonly series: DeviceSeries;
  /** The audit, and the webhook. */
  readonly outlets: Outlets;
  readonly history: History;
  /** When the server started, by the wall clock. */
  readonly since: number;
  /** Reads the configuration anew; a server that no command started has none. @throws {ConfigError} if it cannot be in force. */
  readonly reload: (() => Promise<Reloaded>) | undefined;
  /** Whether every listener is bound. */
  isReady(): boolean;
}
