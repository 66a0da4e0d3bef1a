/**
 * `/v1/events`: what has happened, as pages and as a stream.
 *
 * @module
 */

import { feedRoutes } from "../../app/admin/event_feed.ts";
import type { Route } from "../../app/admin/route.ts";
import { closed, Type, words } from "../../app/admin/schema.ts";
import { DEVICE_MODES } from "../../protocol/v2/wire/messages.ts";
import type { DeviceEvent } from "../events.ts";
import type { DeviceContext } from "./context.ts";
import { Time } from "./schemas.ts";

/** Every type, once. */
const TYPES = Object.keys(
  {
    "connecting": 0,
    "handshaking": 0,
    "dial-failed": 0,
    "online": 0,
    "interrupted": 0,
    "resumed": 0,
    "lost": 0,
    "channel-end": 0,
    "service": 0,
    "mode": 0,
  } satisfies Record<DeviceEvent["type"], 0>,
) as DeviceEvent["type"][];

const text = (description: string) => Type.Optional(Type.String({ description }));
const number = (description: string) => Type.Optional(Type.Number({ description }));

/** An event. Which facts it has goes by its type. */
const Event = closed({
  id: Type.String({ description: "Its place, for `cursor` and `Last-Event-ID`." }),
  time: Time,
  type: words([...TYPES, "missed"], "missed: there were others that are not kept any more."),
  server: text("The server, as configured."),
  attempt: number("Tries since the last link that lasted, from 1."),
  local: text("This end of the link."),
  device: text("The device's name on the server."),
  reason: text("Why, in one word."),
  detail: text("More about it for people."),
  error: text("What went wrong."),
  goodbye: text("The code of the server's goodbye."),
  retryIn: number("Milliseconds until the next try."),
  interrupted: number("Milliseconds without a link."),
  replayed: number("Bytes that were sent again."),
  moved: Type.Optional(Type.Boolean({ description: "Whether the link before was still up." })),
  duration: number("How long it lasted, in milliseconds."),
  clients: number("Clients that are concerned."),
  client: text("Where the client came from."),
  service: text("The service."),
  localAddress: text("What stands behind it."),
  hostAddress: text("Where clients reach it."),
  bytesUp: number("Bytes from the client to the service."),
  bytesDown: number("Bytes from the service to the client."),
  mode: Type.Optional(words(DEVICE_MODES)),
  missed: number("How many are not kept any more; -1: all of another run of the device."),
}, "Something that happened.");

/** The routes. */
export function eventRoutes({ events }: DeviceContext): Route[] {
  return feedRoutes({
    events,
    types: TYPES,
    schema: Event,
    filter: {},
    isMeant: () => undefined,
  });
}
