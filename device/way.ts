/**
 * The way to the server: its addresses, how it proves itself, and what is between. A device may get another while it runs.
 *
 * @module
 */

import type { Address } from "../protocol/address.ts";
import type { ServerTarget } from "../net/dial/server.ts";
import type { TlsEngine } from "../net/socket.ts";
import { demandBinding } from "../net/engines.ts";
import type { ServerSecurity } from "../net/tls/proof.ts";
import type { V2Way } from "./options.ts";

/** One way, and whose turn it is on it. */
export class Way {
  /** What was asked for. */
  readonly options: V2Way;
  readonly #servers: readonly Address[];
  readonly #security: ServerSecurity;
  #turn = 0;

  /**
   * The first address has its turn.
   *
   * @throws {RangeError} for what cannot be, {UnprovableError} for what no dial with this `tls` can do: that had better be told
   *   at once.
   */
  constructor(options: V2Way, tls: Pick<TlsEngine, "demandProvable" | "binds">) {
    this.options = options;
    this.#servers = "host" in options.server ? [options.server] : options.server;
    if (this.#servers.length === 0) throw new RangeError("Cannot dial: no server is given");
    if (options.binding === "required" && options.security === "plain") {
      throw new RangeError("Cannot bind links to their TLS connections: security is plain");
    }
    if (options.binding === "required") demandBinding(tls);
    this.#security = securityOf(options);
    if (this.#security.kind !== "plain") tls.demandProvable(this.server.host, this.#security);
  }

  /** Where the next link is dialled to. */
  get server(): Address {
    return this.#servers[this.#turn % this.#servers.length]!;
  }

  /** Whether a link has to be bound to its TLS connection. */
  get demandsBinding(): boolean {
    return this.options.binding === "required";
  }

  /** The address whose turn it is; or `all`, beginning with that. */
  targets(all: boolean, how: Pick<ServerTarget, "maxSegment" | "uplink">): ServerTarget[] {
    const servers = all
      ? this.#servers.map((_, at) => this.#servers[(this.#turn + at) % this.#servers.length]!)
      : [this.server];
    return servers.map((server) => {
      const proxy = this.options.proxyFor?.(server);
      return { server, security: this.#security, ...how, ...(proxy && { proxy }) };
    });
  }

  /** It is the turn of the one that comes `more` later. */
  turn(more: number): void {
    this.#turn += more;
  }
}

/** Demands that a way can be gone with this `tls`. @throws As {@linkcode Way} does. */
export function demandWay(options: V2Way, tls: Pick<TlsEngine, "demandProvable" | "binds">): void {
  new Way(options, tls);
}

function securityOf({ security = "pinned", serverKey, caCerts, sni }: V2Way): ServerSecurity {
  if (security === "pinned") return { kind: "pinned", serverKey, ...(sni !== undefined && { sni }) };
  if (security === "plain") return { kind: "plain" };
  return { kind: "pki", ...(caCerts && { caCerts: [...caCerts] }) };
}
