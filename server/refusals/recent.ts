/**
 * Who was turned away of late, devices and clients: those who are alike are one entry with a count, so that a flood stays
 * small. Where there is no room for one more, one goes of those who have most, network by network: nobody who makes a flood
 * pushes out what others are refused for who come from elsewhere.
 *
 * @module
 */

import type { Time } from "../../base/clock.ts";
import { networksAround, siteOf } from "../../protocol/address_group.ts";
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
  /** The key that the device showed. */
  readonly key: string | undefined;
  /** Whether it proved the key to be its own, as anybody can show that of another; `undefined` without a key. */
  readonly proved: boolean | undefined;
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

/** An entry, and where it is from: networks, the widest first, and the site. */
interface Kept {
  readonly alike: string;
  readonly places: readonly string[];
  readonly entry: TurnedAway;
}

/** Entries of one reason, the one that was last at the end; and those that had no place any more. */
class OfReason {
  readonly entries = new Map<string, Kept>();
  others: TurnedAway | undefined;

  /** Makes room for one more entry from `site`. */
  makeRoom(site: string | undefined): void {
    const all = [...this.entries.values()];
    const ofSite = all.filter(({ entry }) => entry.site === site);
    if (ofSite.length >= MAX_REFUSALS_OF_A_SITE) this.#drop(ofSite[0]!.alike);
    else if (all.length >= MAX_REFUSALS_OF_A_REASON) this.#drop(oldestOfCrowd(all).alike);
  }

  #drop(key: string): void {
    const { who, reason, count, first, last, place } = this.entries.get(key)!.entry;
    this.entries.delete(key);
    const { others } = this;
    this.others = {
      ...{ who, reason, site: undefined, remote: undefined, at: undefined, device: undefined, key: undefined },
      ...{ proved: undefined, service: undefined, why: undefined },
      count: count + (others?.count ?? 0),
      first: Math.min(first, others?.first ?? first),
      last: Math.max(last, others?.last ?? last),
      place: Math.max(place, others?.place ?? place),
    };
  }
}

/** The oldest from the site that has most, within the network that has most, within the wider one; the oldest are first. */
function oldestOfCrowd(all: readonly Kept[]): Kept {
  let left = all;
  for (const at of all[0]!.places.keys()) {
    const groups = Map.groupBy(left, ({ places }) => places[at]);
    left = [...groups.values()].reduce((most, group) => group.length > most.length ? group : most);
  }
  return left[0]!;
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
      const { reason, remote, listen: at, device, key, proved, why } = event;
      const claim = { device, key, proved, service: undefined };
      this.#add({ who: "device", reason, site: siteOf(remote), remote, at, ...claim, why });
    } else if (event.type === "client-end" && CLIENT_REFUSALS.some((reason) => reason === event.reason)) {
      const { reason, client: remote, hostAddress: at, device, localAddress: service, error: why } = event;
      const wanted = { device, key: undefined, proved: undefined, service };
      this.#add({ who: "client", reason, site: siteOf(remote), remote, at, ...wanted, why });
    }
  }

  /** All entries, the last first. */
  get all(): TurnedAway[] {
    const all = [...this.#reasons.values()].flatMap(({ entries, others }) => [
      ...[...entries.values()].map(({ entry }) => entry),
      ...(others ? [others] : []),
    ]);
    return all.sort((a, b) => b.place - a.place);
  }

  #add(facts: Facts): void {
    const { who, reason, site, at, device, key, proved, service } = facts;
    const group = `${who} ${reason}`;
    let of = this.#reasons.get(group);
    if (!of) this.#reasons.set(group, of = new OfReason());
    const alike = [site, at, device, key, proved, service].join("\0");
    const before = of.entries.get(alike);
    if (before) of.entries.delete(alike);
    else of.makeRoom(site);
    const now = this.#time.wall();
    const { count = 0, first = now } = before?.entry ?? {};
    const places = before?.places ?? [...networksAround(site ?? ""), site ?? ""];
    const entry = { ...facts, count: count + 1, first, last: now, place: ++this.#place };
    of.entries.set(alike, { alike, places, entry });
  }
}
