/**
 * All routes of a server's admin API, which are loaded when somebody asks.
 *
 * @module
 */

import type { Route } from "../../app/admin/route.ts";
import type { AdminContext } from "./context.ts";
import { auditRoutes } from "../audit/routes.ts";
import { actRoutes } from "./act_routes.ts";
import { clientRoutes } from "./client_routes.ts";
import { deviceRoutes } from "./device_routes.ts";
import { drainRoutes } from "./drain_routes.ts";
import { enrolmentRoutes } from "./enrolment_routes.ts";
import { eventRoutes } from "./event_routes.ts";
import { openingRoutes } from "./opening_routes.ts";
import { historyRoutes } from "./history_routes.ts";
import { serverRoutes } from "./server_routes.ts";

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
