/**
 * The admin API of a server: all of its routes, and where they are served.
 *
 * @module
 */

import type { Act } from "../../app/admin/http/api.ts";
import type { Route } from "../../app/admin/route.ts";
import { type AdminServer, serveAdmin } from "../../app/admin/serve.ts";
import { addAuditMetrics } from "../audit/audit_metrics.ts";
import { auditRoutes } from "../audit/routes.ts";
import { addWebhookMetrics } from "../webhook/webhook_metrics.ts";
import { serverMetrics } from "../metrics/server_metrics.ts";
import type { SiteFile } from "../../app/admin/http/site.ts";
import type { Address } from "../../protocol/address.ts";
import { History } from "../history/history.ts";
import type { Reloaded } from "../../app/reload/report.ts";
import type { ServerEvent } from "../events.ts";
import type { ServerCore, ServerHandle } from "../server.ts";
import { actRoutes } from "./act_routes.ts";
import { clientRoutes } from "./client_routes.ts";
import type { StateView } from "../state/state.ts";
import type { AdminContext } from "./context.ts";
import { deviceRoutes } from "./device_routes.ts";
import { drainRoutes } from "./drain_routes.ts";
import { enrolmentRoutes } from "./enrolment_routes.ts";
import { EventRing } from "../../app/admin/event_ring.ts";
import { eventRoutes } from "./event_routes.ts";
import { Outlets, type OutletsOptions } from "./outlets.ts";
import { openingRoutes } from "./opening_routes.ts";
import { historyRoutes } from "./history_routes.ts";
import { serverRoutes } from "./server_routes.ts";

/** What it is called in its document. */
export const SERVER_API = "Sallyport server";

/** All routes. */
export function adminRoutes(context: AdminContext): Route[] {
  return [
    ...serverRoutes(context),
    ...deviceRoutes(context),
    ...actRoutes(context),
    ...drainRoutes(context),
    ...openingRoutes(context),
    ...enrolmentRoutes(context),
    ...clientRoutes(context),
    ...eventRoutes(context),
    ...auditRoutes(context),
    ...historyRoutes(context),
  ];
}

/** What a server is, for its API. */
export interface AdminSubject extends OutletsOptions {
  readonly server: ServerHandle;
  readonly core: ServerCore;
  /** The state; a server of v1 alone has none. */
  readonly state: StateView | undefined;
  /** Reads its configuration anew. */
  readonly reload?: (() => Promise<Reloaded>) | undefined;
  /** Whether each device has metrics of its own. @default {true} */
  readonly perDevice?: boolean;
}

/** Makes what routes work with. Events are kept from now on, history once it is started. */
export function adminContext(subject: AdminSubject): AdminContext {
  const { server, core, state, reload, perDevice = true } = subject;
  const { clock } = core.settings;
  const since = clock.wall();
  const events = new EventRing<ServerEvent>(since);
  const history = new History(core);
  server.subscribe((event) => {
    events.add(clock.wall(), event);
    history.add(event);
  });
  let isReady = false;
  server.ready.then(() => isReady = true, () => {});
  const outlets = new Outlets(subject, { server, core, state });
  const series = { perDevice };
  const metrics = serverMetrics({ server, core, state, since }, series);
  addAuditMetrics(metrics, () => outlets.audit?.file);
  addWebhookMetrics(metrics, () => outlets.webhook);
  return { server, core, state, reload, events, history, metrics, series, outlets, since, isReady: () => isReady };
}

/** Where the API is served. */
export interface AdminPlaces {
  /** The folder of the state, for the socket. */
  readonly folder: string;
  readonly unix: boolean;
  readonly tcp: { readonly address: Address; readonly token: string } | undefined;
  /** Pages beside it, for browsers. */
  readonly site?: readonly SiteFile[];
}

/**
 * Serves it.
 *
 * @throws {ConfigError} if a socket cannot be made; {ListenError} if the TCP address cannot be had.
 */
export function serveServerAdmin(context: AdminContext, places: AdminPlaces): Promise<AdminServer> {
  const { clock, logger } = context.core.settings;
  const onAct = (act: Act) => context.outlets.audit?.act(act);
  return serveAdmin({ title: SERVER_API, routes: adminRoutes(context), ...places, clock, logger, onAct });
}
