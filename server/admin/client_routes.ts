/**
 * `/v1/clients`: connections at host ports.
 *
 * @module
 */

import { ApiError } from "../../app/admin/api_error.ts";
import { makePage, NUMBER_CURSOR, pageOf, pageQuery } from "../../app/admin/pages.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, Type } from "../../app/admin/schema.ts";
import { splitHostPort } from "../../protocol/address.ts";
import type { ClientEntry } from "../ports/client_table.ts";
import type { AdminContext } from "./context.ts";
import { selected } from "./device_routes.ts";
import { Done } from "../../app/admin/shared.ts";
import { Client, Selector } from "./schemas.ts";

const NUMBERED = closed({ id: Type.String({ pattern: "^[0-9]{1,15}$", description: "Its number." }) });

/** The routes. */
export function clientRoutes(context: AdminContext): Route[] {
  const { server, core: { settings: { clients, clock } } } = context;
  const demand = (id: string) => {
    const client = clients.get(Number(id));
    if (!client) throw new ApiError("not-found", `there is no client ${id}; it may have gone`);
    return client;
  };
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/clients",
      id: "listClients",
      summary: "Clients, in the order of their coming.",
      query: closed({
        ...pageQuery(NUMBER_CURSOR),
        device: Type.Optional(Selector),
        service: Type.Optional(Type.String({ maxLength: 300, description: "Only those of this service." })),
        address: Type.Optional(Type.String({ maxLength: 60, description: "Only those from this IP address." })),
      }),
      response: pageOf(Client, "Some of the clients."),
      handle({ query: { limit, cursor, device, service, address } }) {
        const isMeant = device === undefined ? () => true : selected(context, device, "query.device");
        const behind = Number(cursor ?? 0);
        return makePage({
          from: clients,
          limit,
          clock,
          describe(client) {
            if (client.id <= behind) return undefined;
            const { place } = client;
            if (device !== undefined && (place.device === undefined || !isMeant(place.device))) return undefined;
            if (service !== undefined && place.service !== service) return undefined;
            if (address !== undefined && splitHostPort(client.address)[0] !== address) return undefined;
            return clientFacts(client);
          },
          cursor: ({ id }) => String(id),
        });
      },
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/clients/{id}",
      id: "getClient",
      summary: "One of them.",
      params: NUMBERED,
      response: Client,
      handle: ({ params: { id } }) => clientFacts(demand(id)),
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/clients/{id}/close",
      id: "closeClient",
      summary: "Ends a client at once, with a reset both ways; what waits for it is dropped.",
      params: NUMBERED,
      response: Done,
      handle: ({ params: { id } }) => ({ done: server.closeClient(demand(id).id) }),
    }),
  ];
}

function clientFacts(client: ClientEntry): Client {
  const { device, since, datagrams, ...facts } = client.describe();
  return { ...facts, device: device ?? null, datagrams: datagrams ?? null, since: new Date(since).toISOString() };
}
