/**
 * Sees when this machine's way into the network changes: an address, an interface, a default route.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { NETWORK_POLL_MS } from "./limits.ts";

/** An address of an interface. */
export interface InterfaceAddress {
  /** The interface. */
  readonly name: string;
  /** One of its addresses. */
  readonly address: string;
}

/** What the machine has now. */
export interface NetworkState {
  /** All addresses of all interfaces. */
  readonly addresses: readonly InterfaceAddress[];
  /** The default routes, as text in which any change shows; empty where they cannot be read. */
  readonly routes: string;
}

/** Reads it from the system; nothing where that is not permitted. */
export function readNetwork(): NetworkState {
  return { addresses: attempt(() => Deno.networkInterfaces(), []), routes: attempt(readRoutes, "") };
}

/**
 * Calls `onChange` once, when the network of a connection whose own end is at `host` has changed: the address is gone, or
 * back; its interface has come to others; a default route is another. `read` is called every {@linkcode NETWORK_POLL_MS}.
 *
 * @returns what ends the watch.
 */
export function watchNetwork(
  host: string,
  clock: Clock,
  onChange: () => void,
  read: () => NetworkState = readNetwork,
): () => void {
  const before = fingerprint(read(), host);
  let cancel = () => {};
  const look = () => {
    if (fingerprint(read(), host) !== before) return onChange();
    cancel = clock.after(NETWORK_POLL_MS, look);
  };
  cancel = clock.after(NETWORK_POLL_MS, look);
  return () => cancel();
}

/** What a connection from `host` depends on: its interface; where none has the address, all of them. */
function fingerprint({ addresses, routes }: NetworkState, host: string): string {
  const own = addresses.find(({ address }) => address === host);
  const beside = addresses.filter(({ name }) => own === undefined || name === own.name);
  return `${own?.name} ${beside.map(({ address }) => address).sort().join(" ")}\n${routes}`;
}

/** Lines of default routes: of IPv4 those to 00000000, of IPv6 those to 32 zeros and of length 00. */
function readRoutes(): string {
  const v4 = attempt(() => Deno.readTextFileSync("/proc/net/route"), "").split("\n")
    .map((line) => line.split("\t").slice(0, 3).join(" ")).filter((line) => line.split(" ")[1] === "00000000");
  const v6 = attempt(() => Deno.readTextFileSync("/proc/net/ipv6_route"), "").split("\n")
    .filter((line) => /^0{32} 00 /.test(line)).map((line) => line.split(/\s+/)).map((words) =>
      `${words[4]} ${words[9]}`
    )
    .filter((line) => !line.endsWith(" lo"));
  return [...v4, ...v6].join("\n");
}

function attempt<T>(run: () => T, otherwise: T): T {
  try {
    return run();
  } catch {
    return otherwise;
  }
}
