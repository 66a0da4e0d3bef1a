/**
 * Sees when this machine's way to a peer changes: its own address, the interface, the router.
 *
 * @module
 */

import { NETWORK_POLL_MS, ROUTES_READ } from "./limits.ts";
import type { Clock } from "../base/clock.ts";
import { canAsk, type Way, waysTo } from "./kernel/netlink.ts";

/** An address of an interface. */
export interface InterfaceAddress {
  /** The interface. */
  readonly name: string;
  /** One of its addresses. */
  readonly address: string;
}

/** What the machine has now, as far as it matters to a connection. */
export interface NetworkState {
  /** Addresses from which the peer can be reached: the connection's own, while it is there. */
  readonly addresses: readonly InterfaceAddress[];
  /** How the peer is reached, as text in which any change shows; empty where nothing leads there, or nothing is known. */
  readonly routes: string;
}

/** The ends of a connection, as IPs; without one, of any that there may be. */
export interface ConnectionEnds {
  /** This side's, while there is a connection. */
  readonly local?: string | undefined;
  /** The peer's, if it is known. */
  readonly remote?: string | undefined;
}

/** Reads what there is now. */
export type ReadNetwork = (ends: ConnectionEnds) => NetworkState;

/** Addresses that nobody has (RFC 1112 §4, RFC 6666): the way to them is that to anywhere. Nothing is sent there. */
const ANYWHERE = ["240.0.0.1", "100::1"];

/** Reads it from the system: from the kernel's answer for these two addresses, where it can be asked; nothing where not. */
export function readNetwork({ local, remote }: ConnectionEnds): NetworkState {
  if (!canAsk()) return { addresses: attempt(() => Deno.networkInterfaces(), []), routes: attempt(readRoutes, "") };
  const peers = local !== undefined && remote !== undefined ? [remote] : [...(remote ? [remote] : []), ...ANYWHERE];
  const [own, ...ways] = waysTo([local ?? "127.0.0.1", ...peers]);
  const usable = ways.filter((way) => way !== undefined);
  const addresses = local !== undefined && own?.isLocal && usable.length > 0
    ? [{ name: `${usable[0]!.device}`, address: local }]
    : usable.map(({ device, source }) => ({ name: `${device}`, address: source }));
  return { addresses, routes: usable.map(describeWay).join("\n") };
}

function describeWay({ device, gateway }: Way): string {
  return `${device} ${gateway}`;
}

/**
 * Calls `onChange` once, when the way from `local` to `remote` is another than now, or is there again after it was gone:
 * the address `local` is no more, the interface or the router is another. Without `local`, when any address or way is
 * another. While nothing leads there it waits: there would be nothing to do. `read` is called every
 * {@linkcode NETWORK_POLL_MS}.
 *
 * @returns what ends the watch.
 */
export function watchNetwork(
  ends: ConnectionEnds,
  clock: Clock,
  onChange: () => void,
  read: ReadNetwork = readNetwork,
): () => void {
  let before = fingerprint(read(ends), ends.local);
  let cancel = () => {};
  const look = () => {
    const now = fingerprint(read(ends), ends.local);
    if (now !== "" && now !== before) return onChange();
    if (now === "") before = "";
    cancel = clock.after(NETWORK_POLL_MS, look);
  };
  cancel = clock.after(NETWORK_POLL_MS, look);
  return () => cancel();
}

/** What a connection depends on: its own address, or where that is gone, whatever there is; empty if nothing leads out. */
function fingerprint({ addresses, routes }: NetworkState, local: string | undefined): string {
  if (addresses.length === 0 && routes === "") return "";
  const own = local !== undefined && addresses.some(({ address }) => address === local);
  const others = own ? "" : addresses.map(({ address }) => address).sort().join(" ");
  return `${own} ${others}\n${routes}`;
}

/**
 * The best default route of IPv4, where the kernel can be read but not asked. Default routes stand first, and no more is
 * read than their beginning.
 */
function readRoutes(): string {
  using file = Deno.openSync("/proc/net/route");
  const buffer = new Uint8Array(ROUTES_READ);
  const text = new TextDecoder().decode(buffer.subarray(0, file.readSync(buffer) ?? 0));
  const [best] = text.split("\n").map((line) => line.split("\t")).filter((words) => words[1] === "00000000")
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  return best ? `${best[0]} ${best[2]}` : "";
}

function attempt<T>(run: () => T, otherwise: T): T {
  try {
    return run();
  } catch {
    return otherwise;
  }
}
