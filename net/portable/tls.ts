/**
 * TLS by the runtime.
 *
 * It begins TLS at a connection's first byte, and nowhere else. It cannot keep to TLS 1.3, nor say what binds a connection.
 * And closing one whose peer is silent in the handshake, or takes nothing, lets go of the socket only when the peer ends.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import { describeError, isExhaustion } from "../../base/errors.ts";
import { explainTls } from "./explain_tls.ts";
import { demandProof, tlsOptions } from "./server_proof.ts";
import { DESCRIPTORS_A_HOP } from "../limits.ts";
import { HoppedTls } from "./hopped.ts";
import { closeConn, PortableSocket, toAddress } from "./tcp_socket.ts";
import type { Engine, ListeningSocket, Socket, TlsEngine, TlsSocket, TlsTarget } from "../socket.ts";
import { type CertificatePair, PairError } from "../tls/certificate_files.ts";
import { ALPN, TlsHandshakeError } from "../tls/listening.ts";
import { certificateEnd } from "../tls/validity.ts";
import { peerCertificate } from "./peer_certificate.ts";

/** Alerts of who does not take a certificate, as `net/openssl/errors.ts` has them: they have no code here. */
const REFUSED_CERTIFICATE =
  /fatal alert: (?:(?:Bad|Unsupported)Certificate|Certificate(?:Revoked|Expired|Unknown)|UnknownCA|DecryptError)/;

/** A connection of the runtime's in TLS. */
class PortableTlsSocket implements TlsSocket {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly noDelay: boolean;
  readonly #conn: Deno.TlsConn;

  constructor(conn: Deno.TlsConn, noDelay: boolean) {
    this.#conn = conn;
    this.noDelay = noDelay;
    this.localAddress = toAddress(conn.localAddr);
    this.remoteAddress = toAddress(conn.remoteAddr);
  }

  async handshake(): Promise<void> {
    try {
      const { alpnProtocol } = await this.#conn.handshake();
      if (alpnProtocol === ALPN) return;
    } catch (error) {
      this.cut();
      const text = describeError(error);
      const refusesKey = REFUSED_CERTIFICATE.test(text);
      throw new TlsHandshakeError(whyNot(text), { isMute: isEnd(error), refusesKey, cause: error });
    }
    this.cut();
    throw new TlsHandshakeError(`it speaks TLS, but not ${ALPN}`);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    closeConn(this.#conn);
  }

  cut(): void {
    closeConn(this.#conn);
  }

  exporter(): undefined {}

  tcp(): undefined {}

  peerEnds(): number | undefined {
    const shown = peerCertificate(this.#conn);
    return shown && certificateEnd(shown);
  }
}

/** Whether the connection ended; the runtime does not tell whether a byte had come of it, so that is taken for none. */
function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.ConnectionReset;
}

/** The runtime gives its errors no code, so their text is looked at; nothing but the wording depends on it. */
function whyNot(text: string): string {
  const hint = text.includes("corrupt message")
    ? " (a load balancer's PROXY header needs --proxy-from)" +
      "; it does not speak TLS: a device that is told --plain or --profile v1, or a stranger"
    : "";
  return `the TLS handshake failed: ${text}${hint}`;
}

class PortableTlsListener implements ListeningSocket<TlsSocket> {
  readonly address: Address;
  readonly #listener: Deno.TlsListener;

  constructor(listener: Deno.TlsListener) {
    this.#listener = listener;
    this.address = toAddress(listener.addr);
  }

  async accept(): Promise<TlsSocket> {
    return new PortableTlsSocket(await this.#listener.accept(), false);
  }

  close(): void {
    closeConn(this.#listener);
  }
}

/** TLS over the sockets of the portable engine. */
export function portableTls(sockets: Engine): TlsEngine {
  return {
    sockets,
    binds: false,
    descriptorsPerEntrance: DESCRIPTORS_A_HOP,
    entrance: (certificate, clock, log, onConn) => new HoppedTls(sockets, listen, certificate, clock, log, onConn),
    demandProvable: (host, security) => void tlsOptions(host, security),
    demandUsable,
    connect,
    listen,
  };
}

/** The runtime says what it thinks of a pair only when it listens. */
function demandUsable(pair: CertificatePair): void {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pair }).close();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) return; // then it is found out where it is used
    const why = describeError(cause);
    if (!isExhaustion(cause)) {
      throw new PairError(why.includes("KeyMismatch") ? "mismatch" : "unusable", why, { cause });
    }
    throw cause;
  }
}

function listen({ host: hostname, port }: Address, certificate: CertificatePair): ListeningSocket<TlsSocket> {
  return new PortableTlsListener(Deno.listenTls({ hostname, port, ...certificate, alpnProtocols: [ALPN] }));
}

async function connect(
  socket: Socket,
  target: TlsTarget,
  onTls: (tls: Pick<TlsSocket, "cut">) => void,
): Promise<TlsSocket> {
  const { server, security } = target;
  if (!(socket instanceof PortableSocket)) throw new TypeError("the runtime speaks TLS on its own sockets only");
  try {
    const tls = await Deno.startTls(socket.conn, tlsOptions(server.host, security));
    const secured = new PortableTlsSocket(tls, true);
    onTls(secured);
    const { alpnProtocol } = await tls.handshake();
    if (alpnProtocol !== ALPN) {
      throw new TlsHandshakeError(`what answers at ${formatAddress(server)} speaks TLS, but not ${ALPN}`);
    }
    demandProof(tls, security, formatAddress(server));
    return secured;
  } catch (error) {
    throw explainTls(error, target);
  }
}
