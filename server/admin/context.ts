/**
 * What the server's resources are read from, and what acts on them.
 *
 * @module
 */

import type { ServerEvent } from "../events.ts";
import type { StateView } from "../state/state.ts";
import type { History } from "../history/history.ts";
import type { ServerCore, ServerHandle } from "../server.ts";
import type { EventRing } from "../../app/admin/event_ring.ts";
import type { Registry } from "../../app/metrics/registry.ts";
import type { ServerAudit } from "../audit/server_audit.ts";

/** What routes work with. */
export interface AdminContext {
  readonly server: ServerHandle;
  readonly core: ServerCore;
  /** The state; a server of v1 alone has none. */
  readonly state: StateView | undefined;
  readonly events: EventRing<ServerEvent>;
  readonly metrics: Registry;
  /** What writes the audit, if there is one. */
  readonly audit: ServerAudit | undefined;
  readonly history: History;
  /** When the server started, by the wall clock. */
  readonly since: number;
  /** Ends the audit, and what the webhook is told. */
  endTidings(): Promise<void>;
  /** Whether every listener is bound. */
  isReady(): boolean;
}
