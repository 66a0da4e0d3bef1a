/**
 * `/v1/health` and `/v1/ready` of any daemon.
 *
 * @module
 */

import { ApiError } from "./api_error.ts";
import { jsonRoute, type Route } from "./route.ts";
import { closed, Type } from "./schema.ts";

const Alive = closed({ ok: Type.Boolean() }, "It is so.");

/**
 * The routes.
 *
 * @param what What being ready is, for people.
 * @param whyNotReady Says why it is not so now, if it is not.
 */
export function healthRoutes(what: string, whyNotReady: () => string | undefined): Route[] {
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/health",
      id: "getHealth",
      summary: "Whether the process answers. It takes no token.",
      open: true,
      response: Alive,
      handle: () => ({ ok: true }),
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/ready",
      id: "getReady",
      summary: `${what} It takes no token.`,
      open: true,
      response: Alive,
      handle() {
        const why = whyNotReady();
        if (why !== undefined) throw new ApiError("not-ready", why);
        return { ok: true };
      },
    }),
  ];
}
