/**
 * `/v1/events` of any daemon: what has happened, as pages and as a stream.
 *
 * @module
 */

import { ADMIN_PAGE } from "../limits.ts";
import { ApiError } from "./api_error.ts";
import type { EventRing, KeptEvent } from "./event_ring.ts";
import { pageQuery } from "./pages.ts";
import { jsonRoute, type Route, type StreamedEvent, streamRoute, type StreamSource } from "./route.ts";
import { closed, nullable, someOf, type Static, type TObject, type TSchema, Type } from "./schema.ts";

/** What happens in a daemon, and how it is told. */
export interface EventFeed<E extends { readonly type: string }, F extends Record<string, TSchema>> {
  readonly events: EventRing<E>;
  /** Every type. */
  readonly types: readonly E["type"][];
  /** An event as it is told, with `id`, `time`, and `type`. */
  readonly schema: TObject;
  /** Its facts that are times of day: as texts, as in all JSON. */
  readonly times: readonly string[];
  /** What may be asked for beside types. */
  readonly filter: F;
  /** Whether an event is meant; nothing if all are. @throws {ApiError} for what cannot be asked. */
  isMeant(query: Static<TObject<F>>): ((event: E) => boolean) | undefined;
}

/** Events that are given to a stream at once. */
const BATCH = 256;

/** Cursors of events: a run of the daemon, and a number; or nothing, for the beginning. */
const CURSOR = "^([0-9a-z]{1,12}-[0-9]{1,15})?$";

/** The routes. */
export function feedRoutes<E extends { readonly type: string }, F extends Record<string, TSchema>>(
  feed: EventFeed<E, F>,
): Route[] {
  const { events, schema, filter, types, times } = feed;
  const typeFilter = { type: Type.Optional(someOf(types, "Only of these types, with commas between.")) };
  const wanted = (query: object) => meant(feed, query);
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/events",
      id: "listEvents",
      summary: "What has happened, oldest first, as far as it is kept.",
      query: closed({ ...pageQuery(CURSOR), ...filter, ...typeFilter }),
      response: closed({
        items: Type.Array(schema),
        cursor: Type.String({ description: "Where to go on, also if there is nothing more yet." }),
        missed: Type.Integer({
          description: "How many there were since the cursor that are not kept any more; -1: all.",
        }),
        oldest: nullable(Type.String(), "The cursor of the oldest that is kept."),
      }, "Some of the events."),
      handle({ query }) {
        const { limit = ADMIN_PAGE, cursor } = query as { limit?: number; cursor?: string };
        const place = placeOf(events, cursor, events.oldest);
        const isMeant = wanted(query);
        const items: Record<string, unknown>[] = [];
        let next = place.next;
        for (; next < events.next && items.length < limit; next++) {
          const kept = events.get(next);
          if (kept && isMeant(kept.event)) items.push(factsOf(events, kept, times));
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
      query: closed({ cursor: pageQuery(CURSOR).cursor, ...filter, ...typeFilter }),
      response: schema,
      stream({ query, lastEventId }) {
        const { cursor } = query as { cursor?: string };
        const place = placeOf(events, lastEventId ?? cursor, events.next);
        return follow(feed, place.next, place.missed, wanted(query));
      },
    }),
  ];
}

/** Where a cursor leads, or `otherwise` without one. @throws {ApiError} if it is none. */
function placeOf<E>(events: EventRing<E>, cursor: string | undefined, otherwise: number) {
  if (cursor === undefined || cursor === "") return { next: otherwise, missed: 0 };
  const place = events.placeOf(cursor);
  if (!place) throw new ApiError("bad-request", "the cursor is none of events");
  return place;
}

/** Whether an event is meant. */
function meant<E extends { readonly type: string }, F extends Record<string, TSchema>>(
  { isMeant }: EventFeed<E, F>,
  query: object,
): (event: E) => boolean {
  const { type } = query as { type?: string };
  const more = isMeant(query as Static<TObject<F>>);
  const wanted = type === undefined ? undefined : new Set(type.split(","));
  return (event) => (!wanted || wanted.has(event.type)) && (!more || more(event));
}

/** What is `undefined` is left out, as it is in JSON. */
function factsOf<E>(
  events: EventRing<E>,
  { number, time, event }: KeptEvent<E>,
  times: readonly string[],
): Record<string, unknown> {
  const facts = Object.entries(event as object).filter(([name, value]) => value !== undefined && name !== "id")
    .map(([name, value]) => [name, times.includes(name) ? new Date(value).toISOString() : value]);
  return { id: events.cursorAt(number), time: new Date(time).toISOString(), ...Object.fromEntries(facts) };
}

/** A source that reads on from where it is: what its reader does not take stays in the ring, or goes from it. */
function follow<E extends { readonly type: string }, F extends Record<string, TSchema>>(
  { events, times }: EventFeed<E, F>,
  from: number,
  lost: number,
  isMeant: (event: E) => boolean,
): StreamSource {
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
        taken.push({ id: events.cursorAt(next), event: kept.event.type, data: factsOf(events, kept, times) });
      }
      return taken;
    },
    get place() {
      return events.cursorAt(next - 1);
    },
    whenMore: (fn) => events.whenMore(fn), // `take` gave nothing, so it came to the end
    close() {},
  };
}
