/**
 * `/v1/events`: what has happened, as pages and as a stream.
 *
 * @module
 */

import { ApiError, readText } from "../../app/admin/api_error.ts";
import { PAGE_QUERY } from "../../app/admin/pages.ts";
import { jsonRoute, type Route, type StreamedEvent, streamRoute, type StreamSource } from "../../app/admin/route.ts";
import { closed, nullable, type Static, Type, words } from "../../app/admin/schema.ts";
import { selector } from "../../app/admin/selector.ts";
import { ADMIN_PAGE } from "../../app/limits.ts";
import { DEVICE_MODES } from "../../protocol/v2/wire/messages.ts";
import type { ServerEvent } from "../events.ts";
import type { AdminContext } from "./context.ts";
import type { EventRing, KeptEvent } from "./event_ring.ts";
import { Selector, Time } from "./schemas.ts";

/** Every type, once. */
const TYPES = Object.keys(
  {
    "listening": 0,
    "link-up": 0,
    "link-interrupted": 0,
    "link-resumed": 0,
    "link-down": 0,
    "host-open": 0,
    "host-failed": 0,
    "host-closed": 0,
    "client-end": 0,
    "refused": 0,
    "mode": 0,
    "enrolled": 0,
    "service-opened": 0,
    "service-closed": 0,
  } satisfies Record<ServerEvent["type"], 0>,
) as ServerEvent["type"][];

const text = (description: string) => Type.Optional(Type.String({ description }));
const number = (description: string) => Type.Optional(Type.Number({ description }));

/** An event. Which facts it has goes by its type. */
const Event = closed({
  id: Type.String({ description: "Its place, for `cursor` and `Last-Event-ID`." }),
  time: Time,
  type: words([...TYPES, "missed"], "missed: there were others that are not kept any more."),
  device: text("The device's name; on v1 where it came from."),
  listen: text("The listener for devices."),
  address: text("The address really bound."),
  profile: Type.Optional(words(["v1", "v2"])),
  security: Type.Optional(words(["plain", "pinned", "pki"])),
  remote: text("Where the device, or who was refused, came from."),
  reason: text("Why, in one word."),
  detail: text("More about it for people."),
  why: text("Why somebody was refused."),
  error: text("What went wrong."),
  hostAddress: text("The host address."),
  localAddress: text("The service."),
  client: text("Where the client came from."),
  clients: number("Clients that are concerned."),
  bytesUp: number("Bytes from the client to the service."),
  bytesDown: number("Bytes from the service to the client."),
  duration: number("How long it lasted, in milliseconds."),
  interrupted: number("Milliseconds without a link."),
  expiration: number("Milliseconds that the session waits at most."),
  replayed: number("Bytes that were sent again."),
  moved: Type.Optional(Type.Boolean({ description: "Whether the link before was still up." })),
  mode: Type.Optional(words(DEVICE_MODES)),
  key: text("The device's public key."),
  missed: number("How many are not kept any more; -1: all of another run of the server."),
}, "Something that happened.");

type Event = Static<typeof Event>;

const FILTER = {
  device: Type.Optional(Selector),
  type: Type.Optional(Type.String({
    pattern: "^[a-z-]+(,[a-z-]+)*$",
    maxLength: 300,
    description: "Only of these types, with commas between.",
  })),
};

/** Events that are given to a stream at once, and looked at for one answer in one go. */
const BATCH = 256;

/** The routes. */
export function eventRoutes({ events }: AdminContext): Route[] {
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/events",
      id: "listEvents",
      summary: "What has happened, oldest first, as far as it is kept.",
      query: closed({ ...PAGE_QUERY, ...FILTER }),
      response: closed({
        items: Type.Array(Event),
        cursor: Type.String({ description: "Where to go on, also if there is nothing more yet." }),
        missed: Type.Integer({
          description: "How many there were since the cursor that are not kept any more; -1: all.",
        }),
        oldest: nullable(Type.String(), "The cursor of the oldest that is kept."),
      }, "Some of the events."),
      handle({ query: { limit = ADMIN_PAGE, cursor, device, type } }) {
        const place = placeOf(events, cursor, events.oldest);
        const isMeant = filter(device, type);
        const items: Event[] = [];
        let next = place.next;
        for (; next < events.next && items.length < limit; next++) {
          const kept = events.get(next);
          if (kept && isMeant(kept.event)) items.push(factsOf(events, kept));
        }
        const oldest = events.next > events.oldest ? events.cursorAt(events.oldest) : null;
        return { items, cursor: events.cursorAt(next - 1), missed: place.missed, oldest };
      },
    }),
    streamRoute({
      method: "GET",
      path: "/v1/events/stream",
      id: "streamEvents",
      summary: "What happens, as server-sent events; with a cursor, or Last-Event-ID, from there on.",
      query: closed({ cursor: Type.Optional(Type.String({ maxLength: 200 })), ...FILTER }),
      response: Event,
      stream({ query: { cursor, device, type }, lastEventId }) {
        const place = placeOf(events, lastEventId ?? cursor, events.next);
        return follow(events, place.next, place.missed, filter(device, type));
      },
    }),
  ];
}

/** Where a cursor leads, or `otherwise` without one. @throws {ApiError} if it is none. */
function placeOf(events: EventRing, cursor: string | undefined, otherwise: number) {
  if (cursor === undefined || cursor === "") return { next: otherwise, missed: 0 };
  const place = events.placeOf(cursor);
  if (!place) throw new ApiError("bad-request", "the cursor is none of events");
  return place;
}

/** Whether an event is meant. @throws {ApiError} for a type that there is not. */
function filter(device: string | undefined, types: string | undefined): (event: ServerEvent) => boolean {
  const isMeant = device === undefined ? undefined : readText(selector, device, "query.device");
  const wanted = types === undefined ? undefined : new Set(types.split(","));
  const unknown = [...wanted ?? []].find((type) => !(TYPES as readonly string[]).includes(type));
  if (unknown !== undefined) {
    throw new ApiError("bad-request", `query.type has "${unknown}"; there are ${TYPES.join(", ")}`);
  }
  return (event) => {
    if (wanted && !wanted.has(event.type)) return false;
    return !isMeant || "device" in event && event.device !== undefined && isMeant(event.device);
  };
}

function factsOf(events: EventRing, { number, time, event }: KeptEvent): Event {
  return { id: events.cursorAt(number), time: new Date(time).toISOString(), ...defined(event) };
}

/** What is `undefined` is left out, as it is in JSON. */
function defined<T extends ServerEvent>(event: T) {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)) as Omit<
    Event,
    "id" | "time"
  >;
}

/** A source that reads on from where it is: what its reader does not take stays in the ring, or goes from it. */
function follow(events: EventRing, from: number, lost: number, isMeant: (event: ServerEvent) => boolean): StreamSource {
  let next = from;
  let missed = lost;
  return {
    take() {
      const taken: StreamedEvent[] = [];
      if (next < events.oldest) {
        missed += events.oldest - next;
        next = events.oldest;
      }
      if (missed !== 0) {
        const id = events.cursorAt(next - 1);
        const oldest = events.get(next);
        const time = new Date(oldest?.time ?? events.since).toISOString();
        taken.push({ id, event: "missed", data: { id, time, type: "missed", missed } });
        missed = 0;
      }
      for (; next < events.next && taken.length < BATCH; next++) {
        const kept = events.get(next);
        if (!kept || !isMeant(kept.event)) continue;
        taken.push({ id: events.cursorAt(next), event: kept.event.type, data: factsOf(events, kept) });
      }
      return taken;
    },
    whenMore: (fn) => events.whenMore(fn), // `take` gave nothing, so it came to the end
    close() {},
  };
}
