/**
 * Dialling the server: TCP, a proxy if there is one, TLS, all within one deadline.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { NameError } from "./lookup.ts";
import { dial, DialTimeout } from "./dial.ts";
import { describeError } from "../../base/errors.ts";
import { connectThroughProxy, ProxyError, type ProxyOptions } from "./http_proxy.ts";
import type { ServerSecurity } from "../tls/proof.ts";
import type { Engine, Socket } from "../socket.ts";
import { tcpTransport, tlsTransport, type Transport } from "../transport.ts";

/** Where and how to dial. */
export interface ServerTarget {
  /** The server's address; with `pki` its certificate has to be for this host. */
  readonly server: Address;
  /** What it has to prove. */
  readonly security: ServerSecurity;
  /** What to dial through. */
  readonly proxy?: ProxyOptions;
  /** Bytes of TCP in a packet at most, either way, where that can be had and no proxy is between. */
  readonly maxSegment?: number | undefined;
  /** See {@linkcode ConnectOptions.uplink}; also for the connection to a proxy. */
  readonly uplink?: string | undefined;
}

/**
 * Connects to a server, until bytes can be sent to it.
 *
 * @throws {DialTimeout} after `timeout` milliseconds; {ServerIdentityError}, {UnprovableError}, {TlsHandshakeError} and
 * {ProxyError} with one line for people; what {@linkcode dial} throws; the signal's reason when it aborts. Nothing is left open then.
 */
export async function dialServer(
  target: ServerTarget,
  engine: Engine,
  clock: Clock,
  timeout: number,
  signal: AbortSignal,
): Promise<Transport> {
  signal.throwIfAborted();
  const { server, security } = target;
  const { tls } = engine;
  if (security.kind !== "plain") tls.demandProvable(server.host, security);
  const stop = new AbortController();
  let letGo = () => {};
  const giveUp = (reason: unknown) => {
    stop.abort(reason);
    letGo();
  };
  const onAbort = () => giveUp(signal.reason);
  const cancel = clock.after(timeout, () => giveUp(new DialTimeout(timeout)));
  signal.addEventListener("abort", onAbort);
  try {
    const tcp = await dialFirst(target, security.kind === "plain" ? engine : tls.sockets, clock, timeout, stop.signal);
    letGo = () => tcp.close();
    stop.signal.throwIfAborted();
    if (target.proxy) await connectThroughProxy(tcp, target.server, target.proxy.credentials);
    stop.signal.throwIfAborted();
    if (security.kind === "plain") return tcpTransport(tcp);
    const secured = await tls.connect(tcp, { server, security, wallClock: clock.wall() }, (begun) => {
      letGo = () => begun.cut();
      if (stop.signal.aborted) letGo();
    });
    stop.signal.throwIfAborted();
    return tlsTransport(secured);
  } catch (error) {
    letGo();
    throw stop.signal.aborted ? stop.signal.reason : explain(error);
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

async function dialFirst(
  { server, proxy, maxSegment, uplink }: ServerTarget,
  engine: Engine,
  clock: Clock,
  timeout: number,
  signal: AbortSignal,
): Promise<Socket> {
  if (!proxy) return await dial(server, { engine, clock, timeout, signal, maxSegment, uplink });
  try {
    return await dial(proxy.address, { engine, clock, timeout, signal, uplink });
  } catch (cause) {
    throw new ProxyError(`cannot reach the proxy at ${formatAddress(proxy.address)}: ${describeError(cause)}`, {
      cause,
    });
  }
}

/** A name that is not found is the server's own: the proxy's is told as a {@linkcode ProxyError}. */
function explain(cause: unknown): unknown {
  if (!(cause instanceof NameError)) return cause;
  const check = "check the name and this machine's DNS, or enrol with a --public-address that this device can find";
  return new Error(`${describeError(cause)}; ${check}`, { cause });
}
