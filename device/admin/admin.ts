/**
 * The admin API of a device: all of its routes, and where they are served. It is loaded when it is served.
 *
 * @module
 */

import type { AdminWish } from "../../app/admin/options.ts";
import type { Route } from "../../app/admin/route.ts";
import { type AdminServer, serveAdmin } from "../../app/admin/serve.ts";
import type { DeviceContext } from "./context.ts";
import { deviceRoutes } from "./device_routes.ts";
import { eventRoutes } from "./event_routes.ts";
import { serviceRoutes } from "./service_routes.ts";

/** What it is called in its document. */
const DEVICE_API = "Sallyport device";

/** All routes. */
export function deviceApiRoutes(context: DeviceContext): Route[] {
  return [...deviceRoutes(context), ...serviceRoutes(context), ...eventRoutes(context)];
}

/**
 * Serves it, with its socket in `folder`.
 *
 * @throws {ConfigError} if a socket cannot be made; {ListenError} if the TCP address cannot be had.
 */
export function serveDeviceAdmin(context: DeviceContext, folder: string, wish: AdminWish): Promise<AdminServer> {
  const { unix, tcp } = wish;
  const { clock, logger } = context;
  return serveAdmin({ title: DEVICE_API, routes: deviceApiRoutes(context), folder, unix, tcp, clock, logger });
}
