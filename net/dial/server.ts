/**
 * Dialling the server: TCP, a proxy if there is one, TLS, all within one deadline.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { renameSocket } from "../kernel/descriptors.ts";
import { cutTls } from "../kernel/socket.ts";
import { NameError } from "./lookup.ts";
import { dial, DialTimeout } from "./dial.ts";
import { describeError } from "../../base/errors.ts";
import { connectThroughProxy, ProxyError, type ProxyOptions } from "./http_proxy.ts";
import { limitSegment } from "../kernel/max_segment.ts";
import { demandProof, ServerIdentityError, type ServerSecurity, tlsOptions } from "../tls/server_proof.ts";
import { ALPN, TlsHandshakeError } from "../tls/listening.ts";
import { closeQuietly, tcpTransport, tlsTransport, type Transport } from "../transport.ts";

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
}

export { ServerIdentityError, type ServerSecurity } from "../tls/server_proof.ts";

/**
 * Connects to a server, until bytes can be sent to it.
 *
 * @throws {DialTimeout} after `timeout` milliseconds; {ServerIdentityError}, {UnprovableError}, {TlsHandshakeError} and
 * {ProxyError} with one line for people; what {@linkcode dial} throws; the signal's reason when it aborts. Nothing is left open then.
 */
export async function dialServer(
  target: ServerTarget,
  clock: Clock,
  timeout: number,
  signal: AbortSignal,
): Promise<Transport> {
  signal.throwIfAborted();
  const { server, security } = target;
  const options = security.kind === "plain" ? undefined : tlsOptions(server.host, security);
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
    const tcp = await dialFirst(target, clock, timeout, stop.signal);
    letGo = () => closeQuietly(tcp);
    stop.signal.throwIfAborted();
    if (target.maxSegment && !target.proxy) await limitSegment(tcp, target.maxSegment, clock, stop.signal);
    if (target.proxy) await connectThroughProxy(tcp, target.server, target.proxy.credentials);
    stop.signal.throwIfAborted();
    if (security.kind === "plain") return tcpTransport(tcp);

    const tls = await Deno.startTls(tcp, options);
    renameSocket(tcp, tls);
    letGo = () => cutTls(tls);
    stop.signal.throwIfAborted();
    const { alpnProtocol } = await tls.handshake();
    stop.signal.throwIfAborted();
    if (alpnProtocol !== ALPN) throw new TlsHandshakeError(`${speaker(target)} speaks TLS, but not ${ALPN}`);
    demandProof(tls, security, formatAddress(server));
    return tlsTransport(tls, true);
  } catch (error) {
    letGo();
    throw stop.signal.aborted ? stop.signal.reason : explain(error, target, clock.wall());
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

async function dialFirst(
  { server, proxy }: ServerTarget,
  clock: Clock,
  timeout: number,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  if (!proxy) return await dial(server, clock, timeout, signal);
  try {
    return await dial(proxy.address, clock, timeout, signal);
  } catch (cause) {
    throw new ProxyError(`cannot reach the proxy at ${formatAddress(proxy.address)}: ${describeError(cause)}`, {
      cause,
    });
  }
}

function speaker({ server }: ServerTarget): string {
  return `what answers at ${formatAddress(server)}`;
}

/**
 * What an error of TLS means to a user. The runtime gives these errors no code, so their text is looked at; nothing but
 * the wording depends on it, and text that is not known is passed on.
 */
function explain(cause: unknown, target: ServerTarget, wallClock: number): unknown {
  const { server, security } = target;
  const text = describeError(cause);
  const at = formatAddress(server);
  if (text.includes("invalid peer certificate")) {
    const [, fault] = CERTIFICATE_FAULTS.find(([pattern]) => pattern.test(text)) ?? [];
    const meaning = security.kind === "pinned" && DATE_FAULT.test(text)
      ? `the certificate of the server at ${at} does not hold now: ${clockSays(wallClock)}`
      : security.kind === "pinned"
      ? `the server at ${at} proved another key than the one this device was joined to`
      : `the certificate of the server at ${at} ${fault?.(server.host, wallClock) ?? "is not valid"}`;
    return new ServerIdentityError(`${meaning} (${text})`, { cause });
  }
  if (cause instanceof NameError) { // not the proxy's, which is told as a ProxyError
    const check = "check the name and this machine's DNS, or enrol with a --public-address that this device can find";
    return new Error(`${text}; ${check}`, { cause });
  }
  if (text.includes("NoApplicationProtocol")) {
    return new TlsHandshakeError(`${speaker(target)} speaks TLS, but not ${ALPN}`, { cause });
  }
  if (text.includes("corrupt message")) {
    return new TlsHandshakeError(`${speaker(target)} does not speak TLS; ${PLAIN_HINT}`, { cause });
  }
  if (cause instanceof Deno.errors.UnexpectedEof || text.includes("handshake eof")) {
    return new TlsHandshakeError(`${speaker(target)} closed in the TLS handshake; ${PLAIN_HINT}`, { cause });
  }
  if (text.includes("fatal alert")) return new TlsHandshakeError(`${speaker(target)} refused TLS: ${text}`, { cause });
  return cause;
}

const PLAIN_HINT = "does it listen with --plain, or for profile v1?";

/** What a certificate's dates are compared with: it explains more than any word for it. */
function clockSays(wallClock: number): string {
  return `this machine's clock says ${new Date(wallClock).toISOString().replace(/\.\d+/, "")}`;
}

const DATE_FAULT = /expired|NotValidYet|not valid yet/i;

const CERTIFICATE_FAULTS: readonly [fault: RegExp, meaning: (host: string, wallClock: number) => string][] = [
  [/UnknownIssuer/, () => "is from a CA that this device does not know; give that CA's with --ca FILE"],
  [/CaUsedAsEndEntity/, () => "is that of a CA itself"],
  [/NotValidForName|not valid for name/, (host) => `is not for ${host}`],
  [/expired/i, (_, wallClock) => `has expired: ${clockSays(wallClock)}`],
  [/NotValidYet|not valid yet/i, (_, wallClock) => `is not valid yet: ${clockSays(wallClock)}`],
  [/BadSignature/, () => "is not signed by the CA that it names"],
];
