/**
 * Connecting to a name at any of its addresses (RFC 8305, "Happy Eyeballs"): each a moment after the one before, if that has
 * not answered by then, and at once if it has failed. Deno 2.9 does so by itself; 2.4 takes the first address alone.
 *
 * @module
 */

import { parseIP } from "../../protocol/ip.ts";
import type { Address } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, errorCode } from "../../base/errors.ts";
import { closeQuietly } from "../close_quietly.ts";
import { DIAL_STAGGER_MS, MAX_DIAL_ADDRESSES } from "../limits.ts";

/** What connects to one address, and finds those of a name. */
export interface Connector {
  /** Connects to an address, or rejects when `signal` aborts. */
  connect(options: { hostname: string; port: number; signal: AbortSignal }): Promise<Deno.TcpConn>;
  /** The addresses of a name, as the system has them (hosts file included), the best first. */
  lookup(host: string): Promise<string[]>;
}

/** A name has no address that can be found. */
export class UnknownHostError extends Error {
  override readonly name = "UnknownHostError";
}

/**
 * Connects to `address`, names included.
 *
 * @throws {UnknownHostError} for a name that has no address; what the runtime throws; the signal's reason when it aborts.
 */
export function connect(address: Address, clock: Clock, signal: AbortSignal): Promise<Deno.TcpConn> {
  const { host: hostname, port } = address;
  if (isIp(hostname)) return Deno.connect({ hostname, port, signal });
  const conn = racesByItself(Deno.version.deno)
    ? Deno.connect({ hostname, port, signal })
    : connectAny(address, clock, signal, { connect: (options) => Deno.connect(options), lookup });
  return conn.catch((error: unknown) => {
    throw explainLookup(hostname, error);
  });
}

/** What it means that a name was not found; any other error as it is. One kind has no code, so its text is looked at. */
export function explainLookup(host: string, cause: unknown): unknown {
  const text = describeError(cause);
  if (!/^(?:ENOTFOUND|EAI_)/.test(errorCode(cause) ?? "") && !text.includes("failed to lookup address")) return cause;
  const why = text.replace(/^.*(?:information: |getaddrinfo )/, "").replace(` ${host}`, "");
  return new UnknownHostError(`cannot resolve ${host} (${why}); check the name, and the DNS of this machine`, {
    cause,
  });
}

/** Whether a runtime of this version tries all addresses of a name. */
export function racesByItself(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || major === 2 && minor >= 9;
}

/**
 * The same by our own means.
 *
 * @throws If none answers, that one refused, if one did: it says most; else what the last one threw.
 */
export async function connectAny(
  { host, port }: Address,
  clock: Clock,
  signal: AbortSignal,
  net: Connector,
): Promise<Deno.TcpConn> {
  const found = await net.lookup(host);
  signal.throwIfAborted();
  const addresses = interleaved(found).slice(0, MAX_DIAL_ADDRESSES);
  const won = Promise.withResolvers<Deno.TcpConn>();
  const others = new AbortController();
  const onAbort = () => others.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  const failures: unknown[] = [];
  let started = 0;
  let done = false;
  let cancel = () => {};
  const next = () => {
    cancel();
    if (started === addresses.length || done || signal.aborted) return;
    net.connect({ hostname: addresses[started++]!, port, signal: others.signal }).then((conn) => {
      if (done) return closeQuietly(conn);
      done = true;
      won.resolve(conn);
    }, (error: unknown) => {
      failures.push(error);
      if (failures.length < addresses.length && !signal.aborted) return next();
      if (failures.length === started) won.reject(signal.aborted ? signal.reason : mostTelling(failures));
    });
    cancel = clock.after(DIAL_STAGGER_MS, next);
  };
  next();
  try {
    return await won.promise;
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
    others.abort(new Error("another address was quicker"));
  }
}

/** The families in turn, the first one's first (RFC 8305 §4). */
export function interleaved(addresses: readonly string[]): string[] {
  const isV6 = (address: string) => address.includes(":");
  const first = addresses.filter((address) => isV6(address) === isV6(addresses[0]!));
  const second = addresses.filter((address) => isV6(address) !== isV6(addresses[0]!));
  return first.flatMap((address, at) => [address, ...second.slice(at, at + 1)]).concat(second.slice(first.length));
}

function mostTelling(failures: readonly unknown[]): unknown {
  return failures.find((error) => error instanceof Deno.errors.ConnectionRefused) ?? failures.at(-1);
}

function isIp(host: string): boolean {
  return parseIP(host) !== undefined;
}

/** Not `Deno.resolveDns`: that asks name servers alone. */
async function lookup(host: string): Promise<string[]> {
  // Not loaded where they are not used. Deno 2.4 warns of a module of its own when it loads the second one.
  const { default: process } = await import("node:process");
  Object.assign(process, { noDeprecation: true });
  const dns = await import("node:dns/promises");
  const found = await dns.lookup(host, { all: true, verbatim: true });
  const addresses = [...new Set(found.map(({ address }) => address))];
  if (addresses.length === 0) throw new Error(`${host} has no address`);
  return addresses;
}
