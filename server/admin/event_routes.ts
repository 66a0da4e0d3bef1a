/**
 * `/v1/events`: what has happened, as pages and as a stream.
 *
 * @module
 */

import { feedRoutes } from "../../app/admin/event_feed.ts";
import type { Route } from "../../app/admin/route.ts";
import { closed, Type, words } from "../../app/admin/schema.ts";
import { DEVICE_MODES } from "../../protocol/v2/wire/messages.ts";
import { SERVER_EVENT_TYPES } from "../events.ts";
import type { AdminContext } from "./context.ts";
import { selected } from "./device_routes.ts";
import { maybeNumber, maybeText, Time } from "../../app/admin/shared.ts";
import { Selector } from "./schemas.ts";

/** An event. Which facts it has goes by its type. */
const Event = closed({
  id: Type.String({ description: "Its place, for `cursor` and `Last-Event-ID`." }),
  time: Time,
  type: words([...SERVER_EVENT_TYPES, "missed"], "missed: there were others that are not kept any more."),
  device: maybeText("The device's name; on v1 where it came from; of who was refused, whose key was shown."),
  listen: maybeText("The listener for devices."),
  address: maybeText("The address really bound."),
  profile: Type.Optional(words(["v1", "v2"])),
  security: Type.Optional(words(["plain", "pinned", "pki"])),
  remote: maybeText("Where the device, or who was refused, came from."),
  reason: maybeText("Why, in one word."),
  detail: maybeText("More about it for people."),
  why: maybeText("Why somebody was refused."),
  error: maybeText("What went wrong."),
  hostAddress: maybeText("The host address."),
  localAddress: maybeText("The service."),
  client: maybeText("Where the client came from."),
  clients: maybeNumber("Clients that are concerned."),
  bytesUp: maybeNumber("Bytes from the client to the service."),
  bytesDown: maybeNumber("Bytes from the service to the client."),
  duration: maybeNumber("How long it lasted, in milliseconds."),
  interrupted: Type.Optional(Type.Union([Type.Number(), Type.Literal(true)], {
    description: "Milliseconds without a link; true: it was lost before, and that was told.",
  })),
  expiration: maybeNumber("Milliseconds that the session waits at most."),
  replayed: maybeNumber("Bytes that were sent again."),
  versions: Type.Optional(
    Type.Array(Type.Integer(), { description: "The lowest and the highest that a device speaks." }),
  ),
  software: maybeText("The device's program, as it said."),
  until: Type.Optional(Time),
  from: Type.Optional(Type.Array(Type.String(), { description: "Networks that it is open to." })),
  to: maybeText("What the device dials for it, if somebody asked for an address."),
  by: maybeText("Who opened or closed it, for people."),
  openedBy: maybeText("Who opened it, for people."),
  moved: Type.Optional(Type.Boolean({ description: "Whether the link before was still up." })),
  limit: maybeText("The limit of the whole server that was reached."),
  used: maybeNumber("How much of it is in use."),
  most: maybeNumber("The most there can be of it."),
  refused: maybeNumber("Newcomers that it refused since that was told the last time."),
  mode: Type.Optional(words(DEVICE_MODES)),
  key: maybeText("The device's public key; of who was refused, the one that was shown."),
  proved: Type.Optional(Type.Boolean({ description: "Whether who was refused proved the key to be its own." })),
  missed: maybeNumber("How many are not kept any more; -1: all of another run of the server."),
}, "Something that happened.");

/** The routes. */
export function eventRoutes(context: AdminContext): Route[] {
  return feedRoutes({
    events: context.events,
    types: SERVER_EVENT_TYPES,
    schema: Event,
    times: ["until"],
    filter: { device: Type.Optional(Selector) },
    isMeant({ device }) {
      const isMeant = device === undefined ? undefined : selected(context, device, "query.device");
      return isMeant && ((event) => "device" in event && event.device !== undefined && isMeant(event.device));
    },
  });
}
