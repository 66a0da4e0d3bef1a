/**
 * All routes of a server's admin API, which are loaded when somebody asks.
 *
 * @module
 */

import type { Route } from "../app/admin/route.ts";
import type { AdminContext } from "./admin/context.ts";
import { auditRoutes } from "./audit/routes.ts";
import { actRoutes } from "./admin/act_routes.ts";
import { clientRoutes } from "./admin/client_routes.ts";
import { deviceRoutes } from "./admin/device_routes.ts";
import { drainRoutes } from "./admin/drain_routes.ts";
import { enrolmentRoutes } from "./admin/enrolment_routes.ts";
import { eventRoutes } from "./admin/event_routes.ts";
import { openingRoutes } from "./admin/opening_routes.ts";
import { grantRoutes } from "./admin/grant_routes.ts";
import { historyRoutes } from "./admin/history_routes.ts";
import { refusalRoutes } from "./refusals/routes.ts";
import { serverRoutes } from "./admin/server_routes.ts";

/** All routes. */
export function adminRoutes(context: AdminContext): Route[] {
  return [
    ...serverRoutes(context),
    ...deviceRoutes(context),
    ...actRoutes(context),
    ...grantRoutes(context),
    ...drainRoutes(context),
    ...openingRoutes(context),
    ...enrolmentRoutes(context),
    ...clientRoutes(context),
    ...eventRoutes(context),
    ...refusalRoutes(context),
    ...auditRoutes(context),
    ...historyRoutes(context),
  ];
}
