/**
 * The host ports of a v1 link: one for each forward, while the link is there.
 *
 * @module
 */

import { formatAddress } from "../../protocol/address.ts";
import { HostPort, type HostPortOwner } from "../ports/host_port.ts";
import { keptPort, type KeptPorts } from "../ports/kept_ports.ts";
import { isUnixHost } from "../ports/unix_host.ts";
import { describeForward, type OpenForward } from "./forward_table.ts";
import type { ServedV1Service } from "./link_status.ts";

/** Opens them, and others when the forwards are others. */
export class ForwardPorts {
  readonly #owner: HostPortOwner;
  readonly #kept: KeptPorts;
  readonly #ports = new Map<number, HostPort>();
  /** What each is for, also of those that are closed: who came there may still be served. */
  readonly #forwards = new WeakMap<HostPort, OpenForward>();
  /** Resolves when those that went are closed. */
  #leaving: Promise<void> | undefined;
  #wanted: readonly OpenForward[];
  #state: "new" | "open" | "closed" = "new";

  /** Nothing is open before {@linkcode ForwardPorts.open}. */
  constructor(forwards: readonly OpenForward[], owner: HostPortOwner, kept: KeptPorts) {
    this.#wanted = forwards;
    this.#owner = owner;
    this.#kept = kept;
  }

  /** Those that are open, or try to. */
  get all(): HostPort[] {
    return [...this.#ports.values()];
  }

  /** The forwards, as they stand. */
  get services(): ServedV1Service[] {
    return this.#wanted.map((forward) => describeForward(forward, this.#ports.get(forward.id)));
  }

  /** What a port is for. */
  of(port: HostPort): OpenForward {
    return this.#forwards.get(port)!;
  }

  /** Opens all. */
  open(): void {
    this.#state = "open";
    this.set(this.#wanted);
  }

  /** Other forwards are in force: ports that stay are as they were. */
  set(forwards: readonly OpenForward[]): void {
    this.#wanted = forwards;
    if (this.#state !== "open") return;
    const ids = new Set(forwards.map(({ id }) => id));
    const gone = [...this.#ports].filter(([id]) => !ids.has(id));
    for (const [id] of gone) this.#ports.delete(id);
    if (gone.length > 0) {
      const closed = [this.#leaving, ...gone.map(([, port]) => port.close())];
      this.#leaving = Promise.all(closed).then(() => {});
    }
    for (const forward of forwards) if (!this.#ports.has(forward.id)) this.#add(forward);
  }

  /** Closes all, for good. Idempotent. */
  async close(): Promise<void> {
    this.#state = "closed";
    await Promise.all([this.#leaving, ...this.all.map((port) => port.close())]);
  }

  #add(forward: OpenForward): void {
    const { id, forward: { hostAddress, localAddress } } = forward;
    const place = isUnixHost(hostAddress)
      ? hostAddress
      : { host: hostAddress.host, ports: [hostAddress.port, hostAddress.port] as const };
    const kept = keptPort(this.#kept, () => `${id}`, "");
    // One of those that went may have had its address.
    const after = this.#leaving;
    const port = new HostPort({ place, localAddress: formatAddress(localAddress), kept, after }, this.#owner);
    this.#ports.set(id, port);
    this.#forwards.set(port, forward);
  }
}
