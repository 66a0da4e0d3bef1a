/**
 * Which services a device is granted: more of them, others, or fewer. They are edits of devices.toml.
 *
 * @module
 */

import { ApiError, readText } from "../../app/admin/api_error.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, Type } from "../../app/admin/schema.ts";
import { Done, Name, NAMED } from "../../app/admin/shared.ts";
import { MAX_DURATION_MS } from "../../base/limits.ts";
import { parseNetwork } from "../../protocol/ip.ts";
import { V2_MAX_CHANNELS } from "../../protocol/v2/limits.ts";
import { parseLocal, unknownServiceText } from "../devices/grant_table.ts";
import { checkGrant, parseGrant, parseGrantedAddress } from "../devices/service_grant.ts";
import type { AdminContext } from "./context.ts";
import { demandDevice, demandState } from "./device_routes.ts";

const OF_DEVICE = closed({ name: Name, service: Name });

const GRANT = closed({
  service: Type.String({ maxLength: 400, description: "NAME=HOST:PORT; HOST:PORT is where clients reach it." }),
  local: Type.Optional(Type.String({
    maxLength: 300,
    description: "HOST:PORT that the device dials, if its owner allows that; else what it offers by that name.",
  })),
  maxClients: Type.Optional(Type.Integer({ minimum: 1, maximum: V2_MAX_CHANNELS, description: "Clients at once." })),
  idleTimeout: Type.Optional(Type.Integer({
    minimum: 1,
    maximum: MAX_DURATION_MS,
    description: "Milliseconds without a byte that a client may stay.",
  })),
  proxyFrom: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), {
    minItems: 1,
    maxItems: 64,
    description: "Networks whose connections begin with a PROXY header.",
  })),
  closed: Type.Optional(Type.Boolean({ description: "Whether it is closed until somebody opens it for a time." })),
});

/** The routes. */
export function grantRoutes(context: AdminContext): Route[] {
  /** The state, if the device is there, and has the service. */
  const demand = (name: string, service: string) => {
    const state = demandState(context);
    const { services } = demandDevice(context, name);
    if (services.some((each) => each.name === service)) return state;
    throw new ApiError("not-found", unknownServiceText(name, service, services));
  };
  return [
    jsonRoute({
      method: "POST",
      path: "/v1/devices/{name}/services",
      id: "grantService",
      summary: "Grants a device one more service, which opens once the device offers it, or may dial `local`.",
      params: NAMED,
      body: GRANT,
      response: Done,
      async handle({ params: { name }, body: { service, local, proxyFrom, closed, ...limits } }) {
        const state = demandState(context);
        demandDevice(context, name);
        const grant = readText(
          () =>
            checkGrant({
              ...parseGrant(service),
              ...limits,
              ...(local !== undefined && { local: parseLocal(local) }),
              ...(proxyFrom && { proxyFrom: proxyFrom.map((network) => (parseNetwork(network), network)) }),
              ...(closed && { closed }),
            }),
          service,
          "body",
        );
        await state.acts.grantService(name, grant);
        await state.applied();
        return { done: true };
      },
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/devices/{name}/services/{service}/move",
      id: "moveService",
      summary: "Gives a service another host address; its clients are ended, its rules stay.",
      params: OF_DEVICE,
      body: closed({ listen: Type.String({ maxLength: 300, description: "Where clients reach it from now on." }) }),
      response: Done,
      async handle({ params: { name, service }, body: { listen } }) {
        const state = demand(name, service);
        await state.acts.moveService(name, service, readText(parseGrantedAddress, listen, "body.listen"));
        await state.applied();
        return { done: true };
      },
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/devices/{name}/services/{service}/remove",
      id: "withdrawService",
      summary: "Takes a service from a device: its host port is closed, its clients are ended.",
      params: OF_DEVICE,
      response: Done,
      async handle({ params: { name, service } }) {
        const state = demand(name, service);
        await state.acts.withdrawService(name, service);
        await state.applied();
        return { done: true };
      },
    }),
  ];
}
