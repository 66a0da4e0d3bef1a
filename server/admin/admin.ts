/**
 * The admin API of a server: all of its routes, and where they are served.
 *
 * @module
 */

import type { Route } from "../../app/admin/route.ts";
import { type AdminServer, serveAdmin } from "../../app/admin/serve.ts";
import type { SiteFile } from "../../app/admin/http/site.ts";
import type { Address } from "../../protocol/address.ts";
import { History } from "../history/history.ts";
import type { ServerEvent } from "../events.ts";
import type { ServerCore, ServerHandle } from "../server.ts";
import { actRoutes } from "./act_routes.ts";
import { clientRoutes } from "./client_routes.ts";
import type { StateView } from "../state/state.ts";
import type { AdminContext } from "./context.ts";
import { deviceRoutes } from "./device_routes.ts";
import { enrolmentRoutes } from "./enrolment_routes.ts";
import { EventRing } from "../../app/admin/event_ring.ts";
import { eventRoutes } from "./event_routes.ts";
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
    ...enrolmentRoutes(context),
    ...clientRoutes(context),
    ...eventRoutes(context),
    ...historyRoutes(context),
  ];
}

/** What a server is, for its API. */
export interface AdminSubject {
  readonly server: ServerHandle;
  readonly core: ServerCore;
  /** The state; a server of v1 alone has none. */
  readonly state: StateView | undefined;
}

/** Makes what routes work with. Events are kept from now on, history once it is started. */
export function adminContext({ server, core, state }: AdminSubject): AdminContext {
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
  return { server, core, state, events, history, since, isReady: () => isReady };
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
  return serveAdmin({ title: SERVER_API, routes: adminRoutes(context), ...places, clock, logger });
}
