/**
 * Addresses that the server may name, within what the device's owner allows.
 *
 * @module
 */

import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { type Address, formatAddress, splitHostPort } from "../../protocol/address.ts";
import { ipBytes } from "../../protocol/ip.ts";
import type { ServiceTarget } from "../../protocol/v2/wire/messages.ts";
import { dial, DialTimeout } from "../../net/dial/dial.ts";
import { lookup } from "../../net/dial/lookup.ts";
import type { Endpoint, EndpointClient, Reach } from "../endpoints/endpoint.ts";
import { NotAllowed } from "../endpoints/service_reach.ts";
import { parseTcp } from "../endpoints/tcp.ts";
import { parseService, type ServiceRule } from "../services.ts";
import type { NamedService } from "./named_service.ts";

/** Looks a name up; see {@linkcode lookup}. */
export type Lookup = typeof lookup;

/**
 * Parses what the server may name: `IP:PORT`, `NETWORK:PORT` or `*:PORT`, where PORT is a number, a range or `*`. A name
 * is no rule: what it leads to is decided by whoever answers for it.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function parseAllow(text: string): ServiceRule {
  const rule = parseService(text);
  const [host] = splitHostPort(text);
  const [base = ""] = host.split("/");
  if (host === "*" || ipBytes(base) !== undefined) return rule;
  throw new SyntaxError(
    `"${host}" in "${text}" is a name; write an IP or a network, as a name leads wherever others say`,
  );
}

/** A service that the server named. */
export interface NamedTarget {
  readonly service: NamedService;
  /** The way to it. */
  readonly reach: Reach;
  /** Its address, as the server has it. */
  readonly address: string;
}

/** The ways to what a server names, each kept for its next client. */
export class AllowedTargets {
  /** What is allowed from now on. */
  rules: readonly ServiceRule[];
  readonly #open: (service: NamedService, endpoint: Endpoint) => Reach;
  readonly #lookup: Lookup;
  readonly #targets = new Map<string, NamedTarget>();
  /** What clients were dialled to, as it was checked. */
  readonly #reached = new WeakMap<EndpointClient, Address>();

  /** Within `rules`; `open` makes the way to an endpoint. */
  constructor(
    rules: readonly ServiceRule[],
    open: (service: NamedService, endpoint: Endpoint) => Reach,
    find: Lookup = lookup,
  ) {
    this.rules = rules;
    this.#open = open;
    this.#lookup = find;
  }

  /** Whether the server may name anything. */
  get isAnyAllowed(): boolean {
    return this.rules.length > 0;
  }

  /** Whether what a client reached is still allowed, or it has not reached anything yet. */
  isStillAllowed(client: EndpointClient): boolean {
    const reached = this.#reached.get(client);
    return reached === undefined || this.#allows(reached);
  }

  /** What the server named. @returns why it may not be, if so. */
  find({ name, address }: ServiceTarget): NamedTarget | string {
    let target: Address;
    try {
      target = parseTcp(address);
    } catch (error) {
      return error instanceof SyntaxError ? error.message : String(error);
    }
    const isIP = ipBytes(target.host) !== undefined;
    if (isIP && !this.#allows(target)) return `${formatAddress(target)} is not within what the device allows`;
    if (!isIP && !this.isAnyAllowed) return "the device lets the server name no address";
    const key = `${name} ${address}`;
    const known = this.#targets.get(key);
    if (known) return known;
    if (this.#targets.size >= V2_MAX_SERVICES) {
      const [oldest] = this.#targets.keys();
      this.#targets.delete(oldest!);
    }
    const service = { name, localAddress: target };
    const found = { service, reach: this.#open(service, this.#endpoint(target)), address: formatAddress(target) };
    this.#targets.set(key, found);
    return found;
  }

  #allows(target: Address): boolean {
    return this.rules.some((rule) => rule.allows(target));
  }

  /** An address is dialled as it was checked: a name is looked up once, so that nobody can say something else in between. */
  #endpoint(target: Address): Endpoint {
    return {
      address: formatAddress(target),
      open: ({ engine, clock }) => ({
        connect: async (client, timeout, signal) => {
          const since = clock.now();
          const hosts = ipBytes(target.host) !== undefined
            ? [target.host]
            : await this.#resolve(target.host, clock, timeout, signal);
          const host = hosts.find((host) => this.#allows({ host, port: target.port }));
          if (host === undefined) {
            throw new NotAllowed(
              `${formatAddress(target)} leads to ${hosts.join(", ")}, which the device does not allow`,
            );
          }
          this.#reached.set(client, { host, port: target.port });
          const left = Math.max(1, timeout - (clock.now() - since));
          return await dial({ host, port: target.port }, { engine, clock, timeout: left, signal });
        },
        close: () => {},
      }),
    };
  }

  /** Within the time: the look-up itself has none. */
  #resolve(name: string, clock: Parameters<Lookup>[1], timeout: number, signal: AbortSignal): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const onAbort = () => settle(() => reject(signal.reason));
      const cancel = clock.after(timeout, () => settle(() => reject(new DialTimeout(timeout))));
      const settle = (then: () => void) => {
        cancel();
        signal.removeEventListener("abort", onAbort);
        then();
      };
      signal.addEventListener("abort", onAbort);
      this.#lookup(name, clock).then((hosts) => settle(() => resolve(hosts)), (error) => settle(() => reject(error)));
    });
  }
}
