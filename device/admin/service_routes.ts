/**
 * `/v1/services` and `/v1/clients`: what the device offers, and who is at it.
 *
 * @module
 */

import { ApiError, readText } from "../../app/admin/api_error.ts";
import { makePage, NUMBER_CURSOR, pageOf, pageQuery } from "../../app/admin/pages.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, Type } from "../../app/admin/schema.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import type { DeviceClient } from "../clients.ts";
import { parseNamedServices } from "../v2/named_service.ts";
import type { DeviceContext } from "./context.ts";
import { done, timeOf } from "./device_routes.ts";
import { Done, NAMED } from "../../app/admin/shared.ts";
import { Client, Service } from "./schemas.ts";

const NUMBERED = closed({ id: Type.String({ pattern: "^[0-9]{1,15}$", description: "Its number." }) });

/** The routes. */
export function serviceRoutes({ device, clock }: DeviceContext): Route[] {
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/services",
      id: "listServices",
      summary: "The services that the device offers by name; on v1 what the server may ask it for.",
      response: closed({ items: Type.Array(Service) }, "All of them."),
      handle() {
        const counts = new Map<string, number>();
        for (const { rule, service } of device.clients()) {
          counts.set(rule ?? service, (counts.get(rule ?? service) ?? 0) + 1);
        }
        return {
          items: device.status.services.map(({ up, hostAddress, error, endpoint, datagrams, ...service }) => ({
            ...service,
            up: up ?? null,
            hostAddress: hostAddress ?? null,
            error: error ?? null,
            endpoint: { ...endpoint, state: endpoint.state ?? null, detail: endpoint.detail ?? null },
            datagrams: datagrams ?? null,
            clients: counts.get(service.name) ?? 0,
          })),
        };
      },
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/services",
      id: "putService",
      summary: "Offers one more service until the device ends, or another in the place of that of its name.",
      description: "Clients of the one before go on. `device service add` and `move` store one for starts to come.",
      body: closed({ service: Type.String({ maxLength: 2_000, description: "As in web=127.0.0.1:80,down=refuse." }) }),
      response: Done,
      handle({ body: { service } }) {
        const named = readText(parseNamedServices, service, "body.service");
        demandRoom(device.status.services, named);
        return done(() => named.forEach((each) => device.putService(each)));
      },
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/services/{name}/remove",
      id: "removeService",
      summary: "Offers a service no more, until the device ends, and ends its clients.",
      params: NAMED,
      response: Done,
      handle({ params: { name } }) {
        let found = false;
        done(() => {
          found = device.takeService(name);
        });
        if (!found) throw new ApiError("not-found", `there is no service "${name}"`);
        return { done: true };
      },
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/clients",
      id: "listClients",
      summary: "Clients, in the order of their coming.",
      query: closed({
        ...pageQuery(NUMBER_CURSOR),
        service: Type.Optional(Type.String({ maxLength: 300, description: "Only those of this service." })),
      }),
      response: pageOf(Client, "Some of the clients."),
      handle({ query: { limit, cursor, service } }) {
        const behind = Number(cursor ?? 0);
        return makePage({
          from: device.clients(),
          limit,
          clock,
          describe(client) {
            return client.id > behind && (service ?? client.service) === client.service ? factsOf(client) : undefined;
          },
          cursor: ({ id }) => String(id),
        });
      },
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/clients/{id}/close",
      id: "closeClient",
      summary: "Ends a client at once, with a reset both ways; what waits for it is dropped.",
      params: NUMBERED,
      response: Done,
      handle({ params: { id } }) {
        if (!device.closeClient(Number(id))) {
          throw new ApiError("not-found", `there is no client ${id}; it may have gone`);
        }
        return { done: true };
      },
    }),
  ];
}

function factsOf({ since, address, hostAddress, datagrams, rule: _rule, ...client }: DeviceClient): Client {
  return {
    ...client,
    address: address || null,
    hostAddress: hostAddress || null,
    since: timeOf(since),
    datagrams: datagrams ?? null,
  };
}

/** A range is offered as a whole, or not at all. */
function demandRoom(offered: readonly { readonly name: string }[], more: readonly { readonly name: string }[]): void {
  const { size } = new Set([...offered, ...more].map(({ name }) => name));
  if (size <= V2_MAX_SERVICES) return;
  throw new ApiError("conflict", `these would be ${size} services, and ${V2_MAX_SERVICES} are the most`);
}
