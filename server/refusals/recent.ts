/**
 * Who was turned away of late, devices and clients: those who are alike are one entry with a count, so that a flood stays
 * small, and nobody who makes one pushes out what others are refused for.
 *
 * @module
 */

import type { Time } from "../../base/clock.ts";
import { siteOf } from "../../protocol/address_group.ts";
import type { ChannelEndReason, RefusalReason } from "../../protocol/reasons.ts";
import type { ServerEvent } from "../events.ts";
import { MAX_REFUSALS_OF_A_REASON, MAX_REFUSALS_OF_A_SITE } from "./limits.ts";

/** Why a client is turned away, or ended by a rule. */
export const CLIENT_REFUSALS = [
  "not-allowed",
  "too-many-clients",
  "client-rate",
  "time-limit",
  "outside-hours",
  "access-closed",
  "draining",
  "server-limit",
] as const satisfies readonly ChannelEndReason[];

/** Those who were turned away alike. Times are milliseconds since 1970. */
export interface TurnedAway {
  /** `device`: who came to a listener for devices, one or not; `client`: who came to a host port. */
  readonly who: "device" | "client";
  /** Why, in one word. */
  readonly reason: RefusalReason | ChannelEndReason;
  /** Where from: an IPv4 address, a /56 of IPv6, or a local user. `undefined`: others of this reason, of whom no more is kept. */
  readonly site: string | undefined;
  /** The last one's address, with its port. */
  readonly remote: string | undefined;
  /** The listener, or the host address, that they came to. */
  readonly at: string | undefined;
  /** The device's name, if it is known: of a client the one that it wanted to reach. */
  readonly device: string | undefined;
  /** The key that the device showed; whoever was refused as `bad-credentials` has not proved it. */
  readonly key: string | undefined;
  /** The service that a client wanted to reach. */
  readonly service: string | undefined;
  /** The same as the reason in one line, of the last one. */
  readonly why: string | undefined;
  /** How often. */
  readonly count: number;
  /** When the first was, in milliseconds since 1970. */
  readonly first: number;
  /** When the last was. */
  readonly last: number;
  /** Its place among all: the one that was last has the greatest. */
  readonly place: number;
}

type Facts = Omit<TurnedAway, "count" | "first" | "last" | "place">;

/** Entries of one reason, the one that was last at the end; and those that had no place any more. */
class OfReason {
  readonly entries = new Map<string, TurnedAway>();
  others: TurnedAway | undefined;

  /** Makes room for one more entry from `site`. */
  makeRoom(site: string | undefined): void {
    let oldest: string | undefined;
    let oldestOfSite: string | undefined;
    let ofSite = 0;
    for (const [key, entry] of this.entries) {
      oldest ??= key;
      if (entry.site !== site) continue;
      oldestOfSite ??= key;
      ofSite++;
    }
    if (ofSite === MAX_REFUSALS_OF_A_SITE) this.#drop(oldestOfSite!);
    else if (this.entries.size === MAX_REFUSALS_OF_A_REASON) this.#drop(oldest!);
  }

  #drop(key: string): void {
    const { who, reason, count, first, last, place } = this.entries.get(key)!;
    this.entries.delete(key);
    const { others } = this;
    this.others = {
      ...{ who, reason, site: undefined, remote: undefined, at: undefined, device: undefined, key: undefined },
      ...{ service: undefined, why: undefined },
      count: count + (others?.count ?? 0),
      first: Math.min(first, others?.first ?? first),
      last: Math.max(last, others?.last ?? last),
      place: Math.max(place, others?.place ?? place),
    };
  }
}

/** Keeps them, since the server runs. */
export class RecentRefusals {
  readonly #time: Time;
  readonly #reasons = new Map<string, OfReason>();
  #place = 0;

  /** Nobody yet. */
  constructor(time: Time) {
    this.#time = time;
  }

  /** Something happened. Health checks, which are mute, are not turned away: they came for no more. */
  take(event: ServerEvent): void {
    if (event.type === "refused" && event.reason !== "mute") {
      const { reason, remote, listen: at, device, key, why } = event;
      this.#add({ who: "device", reason, site: siteOf(remote), remote, at, device, key, service: undefined, why });
    } else if (event.type === "client-end" && CLIENT_REFUSALS.some((reason) => reason === event.reason)) {
      const { reason, client: remote, hostAddress: at, device, localAddress: service, error: why } = event;
      this.#add({ who: "client", reason, site: siteOf(remote), remote, at, device, key: undefined, service, why });
    }
  }

  /** All entries, the last first. */
  get all(): TurnedAway[] {
    const all = [...this.#reasons.values()].flatMap(({ entries, others }) => [
      ...entries.values(),
      ...(others ? [others] : []),
    ]);
    return all.sort((a, b) => b.place - a.place);
  }

  #add(facts: Facts): void {
    const { who, reason, site, at, device, key, service } = facts;
    const group = `${who} ${reason}`;
    let of = this.#reasons.get(group);
    if (!of) this.#reasons.set(group, of = new OfReason());
    const alike = [site, at, device, key, service].join("\0");
    const before = of.entries.get(alike);
    if (before) of.entries.delete(alike);
    else of.makeRoom(site);
    const now = this.#time.wall();
    const { count = 0, first = now } = before ?? {};
    of.entries.set(alike, { ...facts, count: count + 1, first, last: now, place: ++this.#place });
  }
}
