/**
 * What is open for a time: services that are closed by their rules, and addresses of a device's network.
 *
 * @module
 */

import { ApiError, readText } from "../../app/admin/api_error.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, nullable, Type } from "../../app/admin/schema.ts";
import { MAX_DURATION_MS } from "../../base/limits.ts";
import { parseNetwork } from "../../protocol/ip.ts";
import { V2_MAX_TEXT } from "../../protocol/v2/limits.ts";
import { ConnectionLostError, IncompatibleError } from "../../relay/peer_errors.ts";
import type { Opening } from "../access/openings.ts";
import { parseLocal, unknownServiceText } from "../devices/grant_table.ts";
import { eachService, parseGrantedAddress } from "../devices/service_grant.ts";
import { ConnectError } from "../handle/connect.ts";
import type { AdminContext } from "./context.ts";
import { demandDevice } from "./device_routes.ts";
import { openingFacts } from "./device_facts.ts";
import { Done, Name, NAMED } from "../../app/admin/shared.ts";
import { Opening as OpeningFacts } from "./schemas.ts";

/** What is open for a time, as the API has it. */
export const Opened = closed({
  device: Type.String(),
  service: Type.String({ description: "The service; of an address what it is called while it can be reached." }),
  to: nullable(Type.String(), "What the device dials, if somebody asked for an address."),
  hostAddress: nullable(Type.String(), "Where clients reach it, if its host port is open."),
  ...OpeningFacts.properties,
}, "What is open for a time.");

const line = (description: string) =>
  Type.Optional(Type.String({ maxLength: V2_MAX_TEXT, pattern: "^[^\\x00-\\x1f\\x7f-\\x9f]*$", description }));
const span = (description: string) => Type.Number({ minimum: 1, maximum: MAX_DURATION_MS, description });

const COMMON = {
  from: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), {
    minItems: 1,
    maxItems: 64,
    description: "Networks that may come, as 10.0.0.0/8; by default all that the rules let in.",
  })),
  reason: line("Why, for people."),
  by: line("Who asks, for people."),
  keepClients: Type.Optional(Type.Boolean({ description: "Whether clients who are there when it closes may stay." })),
};

/** The routes. */
export function openingRoutes(context: AdminContext): Route[] {
  const { server } = context;
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/openings",
      id: "listOpenings",
      summary: "What is open for a time, in the order of its opening.",
      response: closed({ items: Type.Array(Opened) }),
      handle: () => ({ items: server.openings().map((opening) => factsOf(context, opening)) }),
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/devices/{name}/open",
      id: "openService",
      summary: "Opens a service that is closed by its rules, for a time.",
      params: NAMED,
      body: closed({ service: Name, for: span("Milliseconds for which it is open."), ...COMMON }),
      response: Opened,
      handle({ params: { name }, body: { service, ...options } }) {
        demandService(context, name, service);
        demandNetworks(options.from);
        return factsOf(context, refusable(() => server.openService(name, service, options)));
      },
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/devices/{name}/shut",
      id: "closeService",
      summary: "Closes what was opened for a time: a service, or an address.",
      params: NAMED,
      body: closed({ service: Name, by: COMMON.by }),
      response: Done,
      handle({ params: { name }, body: { service, by } }) {
        demandDevice(context, name);
        if (server.closeService(name, service, by)) return { done: true };
        demandService(context, name, service);
        throw new ApiError("conflict", `${name}/${service} was not opened, or is closed again already`);
      },
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/devices/{name}/connect",
      id: "connectDevice",
      summary: "Has a device reach an address that its owner allows, for clients at a host port, for a time.",
      description: "The device says what it does not allow when a client comes, who then ends as `not-allowed`.",
      params: NAMED,
      body: closed({
        address: Type.String({ maxLength: 300, description: "HOST:PORT, as the device dials it." }),
        listen: Type.Optional(Type.String({
          maxLength: 300,
          description: "Where clients reach it: HOST:PORT or a range; any free port of 127.0.0.1 by default.",
        })),
        for: Type.Optional(span("Milliseconds for which it can be reached; an hour by default.")),
        ...COMMON,
      }),
      response: Opened,
      async handle({ params: { name }, body: { address, ...options } }) {
        demandDevice(context, name);
        readText(parseLocal, address, "body.address");
        if (options.listen !== undefined) readText(parseGrantedAddress, options.listen, "body.listen");
        demandNetworks(options.from);
        const { service } = await server.device(name).connect(address, options).catch((error: unknown) => {
          throw asConflict(error);
        });
        const opening = server.openings().find((each) => each.device === name && each.service === service);
        if (!opening) throw new ApiError("conflict", "it was closed meanwhile");
        return factsOf(context, opening);
      },
    }),
  ];
}

/** @throws {ApiError} if the device has no such service. */
function demandService(context: AdminContext, name: string, service: string): void {
  const { services } = demandDevice(context, name);
  if (eachService(services).some((grant) => grant.name === service)) return;
  throw new ApiError("not-found", unknownServiceText(name, service, services));
}

function demandNetworks(networks: readonly string[] | undefined): void {
  for (const network of networks ?? []) readText(parseNetwork, network, "body.from");
}

/** What cannot be done is no mistake of the server's. */
function refusable<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw asConflict(error);
  }
}

function asConflict(error: unknown): unknown {
  const isRefusal = error instanceof ConnectError || error instanceof ConnectionLostError ||
    error instanceof IncompatibleError || error instanceof TypeError || error instanceof RangeError;
  return isRefusal ? new ApiError("conflict", error.message) : error;
}

function factsOf({ server }: AdminContext, opening: Opening) {
  const { device, service, to } = opening;
  const found = server.device(device).status?.services.find((each) => each.name === service);
  return {
    device,
    service,
    to: to ?? null,
    hostAddress: found?.open ? found.hostAddress : null,
    ...openingFacts(opening),
  };
}
