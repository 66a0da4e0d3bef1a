/**
 * `/v1/history`: what a day was like.
 *
 * @module
 */

import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, nullable, Type, words } from "../../app/admin/schema.ts";
import { DEVICE_STEP_MS, HISTORY_STEP_MS } from "../history/limits.ts";
import type { AdminContext } from "./context.ts";
import { demandDevice } from "./device_routes.ts";
import { count, NAMED, Time } from "../../app/admin/shared.ts";

const Kept = {
  step: Type.Integer({ description: "Milliseconds from point to point." }),
  kept: words(["file", "memory"], "memory: it is gone when the server ends."),
  why: nullable(Type.String(), "Why it is in memory alone, if it is."),
};

const Carried = {
  time: Time,
  clients: count("Clients that were there; in a longer step, the most."),
  bytesUp: count("Bytes from clients to services, in the step."),
  bytesDown: count("Bytes from services to clients, in the step."),
};

const Totals = closed({
  ...Kept,
  points: Type.Array(closed({
    ...Carried,
    online: count("Devices with a link, at the end of the step."),
    interrupted: count("Devices whose session waited for another link."),
    roundTrip: nullable(Type.Number(), "The median of the devices' round trips, in milliseconds."),
    roundTripMost: nullable(Type.Number(), "The longest of them."),
    losses: count("Links that were lost in the step."),
    refused: count("Who was refused in the step."),
  })),
}, "The whole server, of a day at most, oldest first.");

const OfDevice = closed({
  ...Kept,
  points: Type.Array(closed({
    ...Carried,
    roundTrip: nullable(Type.Number(), "Its last round trip then, in milliseconds."),
  })),
}, "A device, of a day at most, oldest first; there is no point for a step without a session.");

/** The routes. */
export function historyRoutes(context: AdminContext): Route[] {
  const { history } = context;
  const kept = () => ({
    kept: history.why === undefined ? "file" as const : "memory" as const,
    why: history.why ?? null,
  });
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/history",
      id: "getHistory",
      summary: "What the last 24 hours were like, in steps.",
      query: closed({
        minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 60, default: 5, description: "A step's length." })),
      }),
      response: Totals,
      handle({ query: { minutes = 5 } }) {
        const step = minutes * HISTORY_STEP_MS;
        return { step, ...kept(), points: history.totals(step).map(timed) };
      },
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/history/devices/{name}",
      id: "getDeviceHistory",
      summary: "What the last 24 hours of a device were like.",
      params: NAMED,
      response: OfDevice,
      handle({ params: { name } }) {
        const points = history.device(demandDevice(context, name).key).map(timed);
        return { step: DEVICE_STEP_MS, ...kept(), points };
      },
    }),
  ];
}

function timed<T extends { readonly time: number }>(point: T): Omit<T, "time"> & { time: string } {
  return { ...point, time: new Date(point.time).toISOString() };
}
