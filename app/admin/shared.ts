/**
 * What the admin APIs of servers and devices show alike.
 *
 * Times of day are texts, as in 2026-01-31T12:00:00.000Z; spans are milliseconds; what is not known is null.
 *
 * @module
 */

import { V2_MAX_NAME } from "../../protocol/v2/limits.ts";
import type { TcpFacts } from "../../net/socket.ts";
import { closed, nullable, type Static, Type } from "./schema.ts";

/** A time of day. */
export const Time = Type.String({ description: "A time, as in 2026-01-31T12:00:00.000Z." });

/** Names as of devices and services. */
export const Name = Type.String({ pattern: "^[A-Za-z0-9._-]+$", minLength: 1, maxLength: V2_MAX_NAME });

/** The one that a path names. */
export const NAMED = closed({ name: Name });

/** A number of things. */
export const count = (description: string) => Type.Integer({ minimum: 0, description });

/** A span of time. */
export const span = (description: string) => Type.Number({ description: `${description}, in milliseconds.` });

/** Keep-alive settings, as seed 002 has them. */
export const KeepAlive = closed({
  idleTimeout: span("Silence before the first probe; negative: never"),
  probeInterval: span("Silence between probes, and after the last; negative: never"),
  probeCount: Type.Number({ description: "Probes before the peer is taken for lost." }),
});

/** What the system says of the TCP of a link. */
export const Tcp = closed({
  roundTrip: Type.Number({ description: "The round trip, smoothed, in milliseconds." }),
  roundTripVariation: Type.Number({ description: "By how much it varies, in milliseconds." }),
  retransmits: nullable(Type.Integer(), "Segments that were sent again, since the connection is there."),
  segment: Type.Integer({ description: "The largest segment that is sent now, in bytes." }),
  pathMtu: Type.Integer({ description: "The largest packet that the path is taken to carry, in bytes." }),
  unacknowledged: Type.Integer({ description: "Segments that were sent, and not acknowledged yet." }),
  deliveryRate: nullable(Type.Number(), "Bytes a second that were delivered of late."),
}, "A link's TCP, as the system at this end sees it.");

/** What became of the datagrams of a service over UDP or of a client of it, on this side, since it is there. */
export const Datagrams = closed({
  received: count("Came from the network, for the other side."),
  sent: count("Were sent to the network."),
  overflowed: count("Dropped as too many waited, or as their client may not come in."),
  aged: count("Dropped as they waited for too long."),
  late: count("Dropped as they came from the other side too late."),
  refused: count("Nobody was there for them."),
  oversized: count("Dropped as they were too large."),
  unsent: count("The system had no room for them."),
  unread: count(
    "The system dropped them before they were received, as its own queue was full; 0 if it does not say, as of a server's client.",
  ),
});

/** The same, as a type. */
export type Datagrams = Static<typeof Datagrams>;

/** That something was done. */
export const Done = closed({ done: Type.Boolean({ description: "Whether it was done." }) }, "It was done.");

/** A text that an event may have. */
export const maybeText = (description: string) => Type.Optional(Type.String({ description }));
/** A number that an event may have. */
export const maybeNumber = (description: string) => Type.Optional(Type.Number({ description }));

/** A link's TCP, as the APIs have it. */
export function tcpFacts(tcp: TcpFacts | undefined): Static<typeof Tcp> | null {
  if (!tcp) return null;
  return { ...tcp, retransmits: tcp.retransmits ?? null, deliveryRate: tcp.deliveryRate ?? null };
}

/** A time as a text. */
export function timeOrNull(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
