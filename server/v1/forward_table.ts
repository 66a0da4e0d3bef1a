/**
 * The forwards of a listener, with the gate of each, which may be others while a link is there.
 *
 * @module
 */

import { formatAddress } from "../../protocol/address.ts";
import { AccessGate } from "../access/gate.ts";
import type { Forward, ServerSettings } from "../options.ts";
import type { HostPort } from "../ports/host_port.ts";
import { KeptPorts } from "../ports/kept_ports.ts";
import { formatUnixHost, isUnixHost } from "../ports/unix_host.ts";
import type { ServedV1Service } from "./link_status.ts";

/** One of them. */
export interface OpenForward {
  /** A number that no other has, also of those that have gone: its port is kept by that. */
  readonly id: number;
  readonly forward: Forward;
  readonly gate: AccessGate;
}

/** Keeps those that stay the same, with their host ports and clients, when the list changes. */
export class ForwardTable {
  /** The ports that free ones came to, by the forward's id: those of forwards that have gone are forgotten. */
  readonly kept = new KeptPorts();

  readonly #settings: Pick<ServerSettings, "clock" | "refusalCounts">;
  #all: readonly OpenForward[] = [];
  #last = 0;

  /** With the forwards of the start. */
  constructor(forwards: readonly Forward[], settings: Pick<ServerSettings, "clock" | "refusalCounts">) {
    this.#settings = settings;
    this.set(forwards);
  }

  /** All, in the order of the options. */
  get all(): readonly OpenForward[] {
    return this.#all;
  }

  /** Others are in force. One with the same addresses is the same; its rules may be others. */
  set(forwards: readonly Forward[]): void {
    const { clock, refusalCounts } = this.#settings;
    const before = [...this.#all];
    this.#all = forwards.map((forward) => {
      const at = before.findIndex((each) => keyOf(each.forward) === keyOf(forward));
      const [known] = at < 0 ? [] : before.splice(at, 1);
      const rules = forward.access ?? {};
      if (!known) return { id: ++this.#last, forward, gate: new AccessGate(rules, clock, refusalCounts.add) };
      known.gate.rules = rules;
      return { ...known, forward };
    });
    for (const { id } of before) this.kept.forget(`${id}`);
  }
}

/** A forward as it stands: its host port is `port`, while a device is linked. */
export function describeForward({ forward, gate }: OpenForward, port?: HostPort): ServedV1Service {
  return {
    localAddress: formatAddress(forward.localAddress),
    hostAddress: port?.address ?? hostOf(forward),
    open: port?.isOpen ?? false,
    error: port?.error,
    clients: gate.inside,
  };
}

function keyOf(forward: Forward): string {
  return `${hostOf(forward)} ${formatAddress(forward.localAddress)}`;
}

function hostOf({ hostAddress }: Forward): string {
  return isUnixHost(hostAddress) ? formatUnixHost(hostAddress) : formatAddress(hostAddress);
}
