/**
 * Connecting to a name at any of its addresses. The runtime could do so by itself: but each of its dials has a look-up of
 * its own, which nothing bounds and nobody can give up; and before 2.9 it takes the first address alone.
 *
 * @module
 */

import { MAX_DIAL_ADDRESSES } from "../limits.ts";
import { parseIP } from "../../protocol/ip.ts";
import type { Address } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { lookup } from "./lookup.ts";
import { race } from "./attempts.ts";
import { familyName, uplinkAddress } from "../uplink.ts";
import type { ConnectOptions, Engine, Socket } from "../socket.ts";

/** How to connect, and by what. */
export interface ConnectToOptions extends ConnectOptions {
  readonly engine: Pick<Engine, "connect">;
  readonly clock: Clock;
  /** The addresses of a name, as the system has them (hosts file included), the best first. @default {lookup} */
  readonly lookup?: (host: string, clock: Clock) => Promise<string[]>;
}

/**
 * Connects to `address`, names included.
 *
 * @throws If none of the addresses answers, that one refused, if one did: it says most; else what the last one threw.
 * {NameError} if there is none. The signal's reason when it aborts, as soon as nothing is left open.
 */
export async function connect({ host, port }: Address, options: ConnectToOptions): Promise<Socket> {
  const { engine, clock, signal, maxSegment, uplink } = options;
  if (parseIP(host)) return await engine.connect({ host, port }, { signal, maxSegment, uplink });
  const found = reachable(await orAborted((options.lookup ?? lookup)(host, clock), signal), host, uplink);
  const ways = interleaved(found).slice(0, MAX_DIAL_ADDRESSES)
    .map((host) => (signal: AbortSignal) => engine.connect({ host, port }, { signal, maxSegment, uplink }));
  const { value } = await race<Socket>(ways, { clock, signal, letGo: (late) => late.close(), tell: mostTelling });
  return value;
}

/** What `promise` comes to, or the signal's reason if it aborts before. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    const value = await Promise.race([promise, aborted.promise]);
    signal.throwIfAborted();
    return value;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The families in turn, the first one's first (RFC 8305 §4). */
export function interleaved(addresses: readonly string[]): string[] {
  const isV6 = (address: string) => address.includes(":");
  const first = addresses.filter((address) => isV6(address) === isV6(addresses[0]!));
  const second = addresses.filter((address) => isV6(address) !== isV6(addresses[0]!));
  return first.flatMap((address, at) => [address, ...second.slice(at, at + 1)]).concat(second.slice(first.length));
}

/** Those of a name's addresses that can be dialled from an address; from an interface, all. @throws If there is none. */
function reachable(addresses: readonly string[], name: string, uplink: string | undefined): readonly string[] {
  const from = uplink === undefined ? undefined : uplinkAddress(uplink);
  if (!from || addresses.length === 0) return addresses;
  const found = addresses.filter((address) => address.includes(":") === (familyName(from) === "IPv6"));
  if (found.length === 0) throw new Error(`${name} has no ${familyName(from)} address, and ${uplink} is one`);
  return found;
}

function mostTelling(failures: readonly unknown[]): unknown {
  return failures.find((error) => error instanceof Deno.errors.ConnectionRefused) ?? failures.at(-1);
}
