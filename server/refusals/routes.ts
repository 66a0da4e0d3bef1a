/**
 * `/v1/refusals`: who was turned away, and why.
 *
 * @module
 */

import { makePage, NUMBER_CURSOR, pageOf, pageQuery } from "../../app/admin/pages.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, nullable, type Static, Type, words } from "../../app/admin/schema.ts";
import { Time } from "../../app/admin/shared.ts";
import { REFUSAL_REASONS } from "../../protocol/reasons.ts";
import type { AdminContext } from "../admin/context.ts";
import { selected } from "../admin/device_routes.ts";
import { Selector } from "../admin/schemas.ts";
import { CLIENT_REFUSALS, type TurnedAway } from "./recent.ts";

const Who = words(
  ["device", "client"],
  "device: who came to a listener for devices, one or not; client: to a host port.",
);
const Reason = words(
  [...new Set([...REFUSAL_REASONS.filter((reason) => reason !== "mute"), ...CLIENT_REFUSALS])],
  "Why, in one word.",
);

/** Those who were turned away alike, as the API has them. */
export const Refused = closed({
  who: Who,
  reason: Reason,
  site: nullable(
    Type.String(),
    "Where from: an IPv4 address, a /56 of IPv6, or a local user; null: others of this reason, of whom no more is kept.",
  ),
  remote: nullable(Type.String(), "The last one's address, with its port."),
  at: nullable(Type.String(), "The listener, or the host address, that they came to."),
  device: nullable(Type.String(), "The device whose key was shown; of a client, the one that it wanted to reach."),
  key: nullable(Type.String(), "The key that was shown; with bad-credentials it was not proved."),
  service: nullable(Type.String(), "The service that a client wanted to reach."),
  why: nullable(Type.String(), "What was said of the last one, for people."),
  count: Type.Integer({ minimum: 1, description: "How often." }),
  first: Time,
  last: Time,
}, "Those who were turned away alike.");

/** The same, as a type. */
export type Refused = Static<typeof Refused>;

/** The route. */
export function refusalRoutes(context: AdminContext): Route[] {
  const { server, core } = context;
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/refusals",
      id: "listRefusals",
      summary:
        "Who was turned away since the server runs, devices and clients, the last first; those who are alike are one.",
      description:
        "Who is refused again while it is read stands at the front. Connections without a byte are not told of.",
      query: closed({
        ...pageQuery(NUMBER_CURSOR),
        who: Type.Optional(Who),
        reason: Type.Optional(Reason),
        device: Type.Optional(Selector),
      }),
      response: pageOf(Refused, "Some of them."),
      handle({ query: { limit, cursor, who, reason, device } }) {
        const isMeant = device === undefined ? undefined : selected(context, device, "query.device");
        const behind = Number(cursor ?? Infinity);
        return makePage({
          from: server.refusals(),
          limit,
          clock: core.settings.clock,
          describe(entry) {
            if (entry.place >= behind) return undefined;
            if (who !== undefined && entry.who !== who || reason !== undefined && entry.reason !== reason) {
              return undefined;
            }
            if (isMeant && (entry.device === undefined || !isMeant(entry.device))) return undefined;
            return factsOf(entry);
          },
          cursor: ({ place }) => String(place),
        });
      },
    }),
  ];
}

function factsOf(entry: TurnedAway): Refused {
  const { who, site, remote, at, device, key, service, why, count, first, last } = entry;
  return {
    who,
    reason: entry.reason as Refused["reason"],
    site: site ?? null,
    remote: remote ?? null,
    at: at ?? null,
    device: device ?? null,
    key: key ?? null,
    service: service ?? null,
    why: why ?? null,
    count,
    first: new Date(first).toISOString(),
    last: new Date(last).toISOString(),
  };
}
