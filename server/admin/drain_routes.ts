/**
 * Acts on the server as a whole: a reload, and drains, also of one device.
 *
 * @module
 */

import { ApiError } from "../../app/admin/api_error.ts";
import { ReloadedFacts } from "../../app/admin/reloaded.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, Type } from "../../app/admin/schema.ts";
import { MAX_DURATION_MS } from "../../base/limits.ts";
import type { AdminContext } from "./context.ts";
import { demandDevice } from "./device_routes.ts";
import { Done, NAMED } from "../../app/admin/shared.ts";

const SPAN = closed({
  for: Type.Optional(Type.Number({
    minimum: 0,
    maximum: MAX_DURATION_MS,
    description: "Milliseconds after which those who are there are ended; without it, never.",
  })),
});

/** The routes. */
export function drainRoutes(context: AdminContext): Route[] {
  const { server } = context;
  const forAll = { method: "POST" as const, response: Done };
  const forOne = { ...forAll, params: NAMED };
  return [
    jsonRoute({
      ...forAll,
      path: "/v1/server/reload",
      id: "reload",
      summary: "Reads the configuration anew: what can change does, without cutting anybody.",
      response: ReloadedFacts,
      async handle() {
        if (!context.reload) throw new ApiError("conflict", "this server has no configuration that could be read anew");
        const { changed, restart } = await context.reload();
        return { changed: [...changed], restart: [...restart] };
      },
    }),
    jsonRoute({
      ...forAll,
      path: "/v1/server/drain",
      id: "drainServer",
      summary: "Refuses new clients of all devices, as `draining`, until that is undone or the server ends.",
      body: SPAN,
      handle({ body: { for: ms } }) {
        server.drain(undefined, { for: ms });
        return { done: true };
      },
    }),
    jsonRoute({
      ...forAll,
      path: "/v1/server/undrain",
      id: "undrainServer",
      summary: "Lets new clients in again.",
      handle: () => ({ done: server.undrain(undefined) }),
    }),
    jsonRoute({
      ...forOne,
      path: "/v1/devices/{name}/drain",
      id: "drainDevice",
      summary: "Refuses new clients of one device, as `draining`, until that is undone or the server ends.",
      body: SPAN,
      handle({ params: { name }, body: { for: ms } }) {
        server.drain(demandDevice(context, name).name, { for: ms });
        return { done: true };
      },
    }),
    jsonRoute({
      ...forOne,
      path: "/v1/devices/{name}/undrain",
      id: "undrainDevice",
      summary: "Lets new clients of a device in again.",
      handle: ({ params: { name } }) => ({ done: server.undrain(demandDevice(context, name).name) }),
    }),
  ];
}
