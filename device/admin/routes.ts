/**
 * All routes of a device's admin API, which are loaded when somebody asks.
 *
 * @module
 */

import type { Route } from "../../app/admin/route.ts";
import type { DeviceContext } from "./context.ts";
import { deviceRoutes } from "./device_routes.ts";
import { eventRoutes } from "./event_routes.ts";
import { serviceRoutes } from "./service_routes.ts";

/** All routes. */
export function deviceApiRoutes(context: DeviceContext): Route[] {
  return [...deviceRoutes(context), ...serviceRoutes(context), ...eventRoutes(context)];
}
