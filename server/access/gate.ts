/**
 * The gate of a service: whether a client may come in by its rules, how fast its bytes pass, and when it has to go.
 *
 * It stays while the host port is opened and closed, and links come and go; so do its counts.
 *
 * @module
 */

import { splitHostPort } from "../../protocol/address.ts";
import { siteOf } from "../../protocol/address_group.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { Clock } from "../../base/clock.ts";
import type { Connection } from "../../net/socket.ts";
import type { ChannelPump } from "../../relay/channel_pump.ts";
import { ClientRates } from "./client_rates.ts";
import { type Hours, isWithin, parseHours, toNextMinute } from "./hours.ts";
import { networkSet } from "./networks.ts";
import type { AccessRules } from "./rules.ts";
import { shaped, type Shapers } from "./shaped_connection.ts";
import { Shaper } from "./shaper.ts";

/** Why a client may not come in. */
export interface Refusal {
  /** In one word. */
  readonly refused: ChannelEndReason;
  /** In one line, for people. */
  readonly why: string;
}

/** A client that is in. */
class Inside {
  readonly #gate: GateOf;
  readonly #address: string;
  #cancel: () => void = () => {};
  #pump: ChannelPump | undefined;
  #left = false;
  /** Called when it has gone. */
  onLeave: () => void = () => {};
  /** Where it counts, once its own address is known. */
  site: string | undefined;
  host: string | undefined;

  constructor(gate: GateOf, address: string) {
    this.#gate = gate;
    this.#address = address;
  }

  /** What its bytes pass through. */
  shape(connection: Connection): Connection {
    return shaped(connection, this.#gate.shapers());
  }

  /** It says by a header that it is another. @returns why it may not come in, if so; it is in all the same until it leaves. */
  identify(address: string): Refusal | undefined {
    return this.#gate.identify(this, address);
  }

  /** Its channel is open: it ends when the rules say so. */
  serve(pump: ChannelPump): void {
    this.#pump = pump;
    const { idleTimeout, timeLimit } = this.#gate.rules();
    if (idleTimeout !== undefined) pump.endWhenIdle(idleTimeout);
    if (timeLimit !== undefined) this.#cancel = this.#gate.clock.after(timeLimit, () => this.end("time-limit"));
    this.#gate.served(this); // it may have waited, and not be allowed any more
  }

  /** Ends it, if it has a channel. */
  end(reason: ChannelEndReason): void {
    if (!this.#pump || this.#left) return;
    this.#gate.ended(reason);
    this.#pump.abortInTurn(reason);
  }

  /** It has gone. Idempotent. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#cancel();
    this.#gate.left(this);
    this.onLeave();
  }

  get address(): string {
    return this.#address;
  }
}

/** What a client that is in needs of its gate. */
interface GateOf {
  readonly clock: Clock;
  rules(): AccessRules;
  shapers(): Shapers;
  identify(inside: Inside, address: string): Refusal | undefined;
  served(inside: Inside): void;
  ended(reason: ChannelEndReason): void;
  left(inside: Inside): void;
}

/** A client that was let in; whoever serves it says when it has gone. */
export type Pass = Pick<Inside, "shape" | "identify" | "serve" | "leave" | "onLeave">;

/** Counts clients that were refused or ended by a rule. */
export type CountRefusal = (reason: ChannelEndReason) => void;

/** Lets clients of one service in. */
export class AccessGate {
  readonly #clock: Clock;
  readonly #count: CountRefusal;
  readonly #inside = new Set<Inside>();
  readonly #sites = new Map<string, number>();
  readonly #rates = new ClientRates();
  readonly #of: GateOf;
  #rules: AccessRules = {};
  #hours: readonly Hours[] = [];
  #openTo: readonly string[] | undefined;
  #up: Shaper | undefined;
  #down: Shaper | undefined;
  #cancelLook: (() => void) | undefined;

  /** A gate that goes by `rules`. `count` hears of each client that they refuse or end. */
  constructor(rules: AccessRules, clock: Clock, count: CountRefusal = () => {}) {
    this.#clock = clock;
    this.#count = count;
    this.#of = {
      clock,
      rules: () => this.#rules,
      shapers: () => ({ up: this.#up, down: this.#down }),
      identify: (inside, address) => this.#identify(inside, address),
      served: (inside) => this.#endIfOut(inside),
      ended: count,
      left: (inside) => this.#left(inside),
    };
    this.rules = rules;
  }

  /** How many are in. */
  get inside(): number {
    return this.#inside.size;
  }

  /** What holds. */
  get rules(): AccessRules {
    return this.#rules;
  }

  /**
   * Other rules hold for those who come from now on. Those who are there go if their network is not allowed any more, or
   * it is outside the hours; bandwidth is as the rules say for those who had a limit; all else stays as it was for them.
   */
  set rules(rules: AccessRules) {
    if (rules === this.#rules || JSON.stringify(rules) === JSON.stringify(this.#rules)) return;
    const before = this.#rules;
    this.#rules = rules;
    this.#hours = rules.hours?.map(parseHours) ?? [];
    const { clientRate, clientRatePerAddress } = rules;
    if (
      !sameRate(before.clientRate, clientRate) || !sameRate(before.clientRatePerAddress, clientRatePerAddress)
    ) this.#rates.change(clientRate, clientRatePerAddress, this.#clock.now());
    this.#up = this.#shaper(this.#up, rules.bandwidthUp);
    this.#down = this.#shaper(this.#down, rules.bandwidthDown);
    this.#look();
  }

  /** Networks that it was opened to, if it was opened to some alone. Those who are there from others go. */
  set openTo(networks: readonly string[] | undefined) {
    this.#openTo = networks;
    this.#look();
  }

  /** One from `address`, `HOST:PORT`, wants in. `speaksFor`: it will say for whom it comes; see {@linkcode Pass.identify}. */
  enter(address: string, speaksFor = false): Pass | Refusal {
    const { maxClients } = this.#rules;
    const out = this.#outside();
    if (out) return this.#refuse(out);
    if (maxClients !== undefined && this.#inside.size >= maxClients) {
      return this.#refuse({ refused: "too-many-clients", why: `${maxClients} clients are the most for this service` });
    }
    const inside = new Inside(this.#of, address);
    const refusal = speaksFor ? undefined : this.#identify(inside, address);
    if (refusal) return refusal;
    this.#inside.add(inside);
    this.#lookLater();
    return inside;
  }

  /** Ends all who are in. */
  endAll(reason: ChannelEndReason): void {
    for (const inside of this.#inside) inside.end(reason);
  }

  /** Whether one may come from there, and now; what it would cost him is not asked. */
  #outside(host?: string): Refusal | undefined {
    const { allowFrom, denyFrom } = this.#rules;
    if (this.#hours.length > 0 && !isWithin(this.#hours, this.#clock.wall())) {
      return { refused: "outside-hours", why: `clients may come at ${this.#rules.hours!.join("; ")}` };
    }
    if (host === undefined) return undefined;
    if (denyFrom && networkSet(denyFrom).has(host)) return { refused: "not-allowed", why: "deny-from has its network" };
    if (allowFrom && !networkSet(allowFrom).has(host)) {
      return { refused: "not-allowed", why: "allow-from has not its network" };
    }
    if (this.#openTo && !networkSet(this.#openTo).has(host)) {
      return { refused: "not-allowed", why: "the service was not opened to its network" };
    }
    return undefined;
  }

  #identify(inside: Inside, address: string): Refusal | undefined {
    const { maxClientsPerAddress } = this.#rules;
    const host = address.startsWith("unix:") ? undefined : splitHostPort(address)[0]; // a local user is in no network
    const out = this.#outside(host);
    if (out) return this.#refuse(out);
    const site = siteOf(address);
    const same = this.#sites.get(site) ?? 0;
    if (maxClientsPerAddress !== undefined && same >= maxClientsPerAddress) {
      return this.#refuse({
        refused: "too-many-clients",
        why: `${maxClientsPerAddress} clients are the most from one address`,
      });
    }
    const beyond = this.#rates.take(site, this.#clock.now());
    if (beyond) {
      const { count, per } = (beyond === "all" ? this.#rules.clientRate : this.#rules.clientRatePerAddress)!;
      const from = beyond === "all" ? "" : " from one address";
      return this.#refuse({
        refused: "client-rate",
        why: `${count} new clients in ${per / 1000} s are the most${from}`,
      });
    }
    inside.host = host;
    inside.site = site;
    this.#sites.set(site, same + 1);
    return undefined;
  }

  #refuse(refusal: Refusal): Refusal {
    this.#count(refusal.refused);
    return refusal;
  }

  #left(inside: Inside): void {
    this.#inside.delete(inside);
    if (this.#inside.size === 0) {
      this.#cancelLook?.();
      this.#cancelLook = undefined;
    }
    const { site } = inside;
    if (site === undefined) return;
    const left = this.#sites.get(site)! - 1;
    if (left > 0) this.#sites.set(site, left);
    else this.#sites.delete(site);
  }

  /** Ends those who may not be there any more. */
  #look(): void {
    for (const inside of this.#inside) this.#endIfOut(inside);
    this.#lookLater();
  }

  #endIfOut(inside: Inside): void {
    const out = this.#outside(inside.host);
    if (out) inside.end(out.refused);
  }

  /** Windows begin and end with a minute. */
  #lookLater(): void {
    if (this.#hours.length === 0 || this.#inside.size === 0) return;
    this.#cancelLook ??= this.#clock.after(toNextMinute(this.#clock.wall()), () => {
      this.#cancelLook = undefined;
      this.#look();
    });
  }

  #shaper(before: Shaper | undefined, rate: number | undefined): Shaper | undefined {
    if (before && rate !== undefined) {
      before.rate = rate;
      return before;
    }
    if (before) before.rate = Infinity;
    return rate === undefined ? undefined : new Shaper(rate, this.#clock);
  }
}

function sameRate(a: AccessRules["clientRate"], b: AccessRules["clientRate"]): boolean {
  return a?.count === b?.count && a?.per === b?.per;
}
