/**
 * The admin API of a server: what its routes work with, and where they are served. They are loaded when somebody asks.
 *
 * @module
 */

import type { Act } from "../../app/admin/http/api.ts";
import { type AdminServer, serveAdmin } from "../../app/admin/serve.ts";
import { addAuditMetrics } from "../audit/audit_metrics.ts";
import { addWebhookMetrics } from "../webhook/webhook_metrics.ts";
import { serverMetrics } from "../metrics/server_metrics.ts";
import type { SiteFile } from "../../app/admin/http/site.ts";
import type { Address } from "../../protocol/address.ts";
import { History } from "../history/history.ts";
import type { Reloaded } from "../../app/reload/report.ts";
import type { ServerEvent } from "../events.ts";
import type { ServerCore, ServerHandle } from "../server.ts";
import type { StateView } from "../state/state.ts";
import type { AdminContext } from "./context.ts";
import { EventRing } from "../../app/admin/event_ring.ts";
import { Outlets, type OutletsOptions } from "./outlets.ts";

/** What it is called in its document. */
export const SERVER_API = "Sallyport server";

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
  /** Loads the pages beside it, for browsers. */
  readonly site?: () => Promise<readonly SiteFile[]>;
}

/**
 * Serves it.
 *
 * @throws {ConfigError} if a socket cannot be made; {ListenError} if the TCP address cannot be had.
 */
export function serveServerAdmin(context: AdminContext, { site, ...places }: AdminPlaces): Promise<AdminServer> {
  const { clock, logger } = context.core.settings;
  const onAct = (act: Act) => context.outlets.audit?.act(act);
  const load = async () => {
    const { adminRoutes } = await import("../admin_routes.ts");
    return { routes: adminRoutes(context), ...(site && { site: await site() }) };
  };
  return serveAdmin({ title: SERVER_API, load, ...places, clock, logger, onAct });
}
