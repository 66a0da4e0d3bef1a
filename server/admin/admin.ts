/**
 * The admin API of a server: what its routes work with, and where they are served. They are loaded when somebody asks.
 *
 * @module
 */

import type { Act } from "../../app/admin/http/api.ts";
import { type AdminServer, serveAdmin } from "../../app/admin/serve.ts";
import type { AuditFile } from "../../app/audit/audit_file.ts";
import { addAuditMetrics } from "../audit/audit_metrics.ts";
import type { Webhook } from "../../app/webhook/webhook.ts";
import { type WebhookPlan, WebhookTidings } from "../webhook/tidings.ts";
import { addWebhookMetrics } from "../webhook/webhook_metrics.ts";
import { ServerAudit } from "../audit/server_audit.ts";
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

/** What it is called in its document. */
export const SERVER_API = "Sallyport server";

/** What a server is, for its API. */
export interface AdminSubject {
  readonly server: ServerHandle;
  readonly core: ServerCore;
  /** The state; a server of v1 alone has none. */
  readonly state: StateView | undefined;
  /** Reads its configuration anew. */
  readonly reload?: (() => Promise<Reloaded>) | undefined;
  /** Whether each device has metrics of its own. @default {true} */
  readonly perDevice?: boolean;
  /** Where acts are audited, if they are. */
  readonly auditFile?: AuditFile | undefined;
  /** What is told to whom, if anybody is to be told. */
  readonly webhook?: WebhookPlan & { readonly webhook: Webhook } | undefined;
}

/** Makes what routes work with. Events are kept from now on, history once it is started. */
export function adminContext(subject: AdminSubject): AdminContext {
  const { server, core, state, reload, perDevice, auditFile, webhook } = subject;
  const { clock } = core.settings;
  const since = clock.wall();
  const events = new EventRing<ServerEvent>(since);
  const history = new History(core);
  server.subscribe((event) => {
    events.add(clock.wall(), event);
    history.add(event);
  });
  const endTidings = async () => {
    tidings?.close();
    await Promise.all([audit?.close(), webhook?.webhook.close()]);
  };
  let isReady = false;
  server.ready.then(() => isReady = true, () => {});
  const metrics = serverMetrics({ server, core, state, since }, perDevice);
  addAuditMetrics(metrics, auditFile);
  addWebhookMetrics(metrics, webhook?.webhook);
  const tidings = webhook && new WebhookTidings(webhook, { server, core, state });
  const audit = auditFile && new ServerAudit(auditFile, { server, core, state });
  return { server, core, state, reload, events, history, metrics, audit, since, isReady: () => isReady, endTidings };
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
  const onAct = (act: Act) => context.audit?.act(act);
  const load = async () => {
    const { adminRoutes } = await import("./routes.ts");
    return { routes: adminRoutes(context), ...(site && { site: await site() }) };
  };
  return serveAdmin({ title: SERVER_API, load, ...places, clock, logger, onAct });
}
