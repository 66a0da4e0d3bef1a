/**
 * `/v1/events`: what has happened, as pages and as a stream.
 *
 * @module
 */

import { feedRoutes } from "../../app/admin/event_feed.ts";
import type { Route } from "../../app/admin/route.ts";
import { closed, Type, words } from "../../app/admin/schema.ts";
import { DEVICE_MODES } from "../../protocol/v2/wire/messages.ts";
import { DEVICE_EVENT_TYPES } from "../events.ts";
import type { DeviceContext } from "./context.ts";
import { maybeNumber, maybeText, Time } from "../../app/admin/shared.ts";

/** An event. Which facts it has goes by its type. */
const Event = closed({
  id: Type.String({ description: "Its place, for `cursor` and `Last-Event-ID`." }),
  time: Time,
  type: words([...DEVICE_EVENT_TYPES, "missed"], "missed: there were others that are not kept any more."),
  server: maybeText("The server, as configured."),
  attempt: maybeNumber("Tries since the last link that lasted, from 1."),
  local: maybeText("This end of the link."),
  device: maybeText("The device's name on the server."),
  reason: maybeText("Why, in one word."),
  detail: maybeText("More about it for people."),
  error: maybeText("What went wrong."),
  goodbye: maybeText("The code of the server's goodbye."),
  retryIn: maybeNumber("Milliseconds until the next try."),
  interrupted: Type.Optional(Type.Union([Type.Number(), Type.Literal(true)], {
    description: "Milliseconds without a link; true: it was lost before, and that was told.",
  })),
  replayed: maybeNumber("Bytes that were sent again."),
  moved: Type.Optional(Type.Boolean({ description: "Whether the link before was still up." })),
  duration: maybeNumber("How long it lasted, in milliseconds."),
  clients: maybeNumber("Clients that are concerned."),
  client: maybeText("Where the client came from."),
  service: maybeText("The service."),
  localAddress: maybeText("What stands behind it."),
  hostAddress: maybeText("Where clients reach it."),
  bytesUp: maybeNumber("Bytes from the client to the service."),
  bytesDown: maybeNumber("Bytes from the service to the client."),
  mode: Type.Optional(words(DEVICE_MODES)),
  missed: maybeNumber("How many are not kept any more; -1: all of another run of the device."),
}, "Something that happened.");

/** The routes. */
export function eventRoutes({ events }: DeviceContext): Route[] {
  return feedRoutes({
    events,
    types: DEVICE_EVENT_TYPES,
    schema: Event,
    times: [],
    filter: {},
    isMeant: () => undefined,
  });
}
