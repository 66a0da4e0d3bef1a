/**
 * How a server proves itself to a device in TLS, and that nothing else counts: neither another key than the pinned one nor
 * another CA than those named, whatever this process trusts besides.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { sameBytes } from "../../protocol/bytes.ts";
import { certificateKey, PINNED_NAME, pinnedAnchor } from "../tls/certificate.ts";
import { ALPN } from "../tls/listening.ts";
import { ServerIdentityError, type TlsSecurity, UnprovableError } from "../tls/proof.ts";
import { hasNoRoots, peerCertificate, showsPeers } from "./peer_certificate.ts";

/**
 * Options for the handshake with a server at `host`.
 *
 * @throws {UnprovableError} if this runtime would let in others than who is meant.
 */
export function tlsOptions(host: string, security: TlsSecurity): Deno.StartTlsOptions {
  const alpnProtocols = [ALPN];
  if (security.kind === "pinned") {
    if (!showsPeers() && !hasNoRoots()) throw new UnprovableError(`cannot pin the server's key: ${BLIND}`);
    const caCerts = [pinnedAnchor(security.serverKey)];
    if (security.sni === undefined) return { hostname: PINNED_NAME, caCerts, alpnProtocols };
    if (!showsPeers()) throw new UnprovableError(`cannot send the name ${security.sni}: ${NO_NAME}`);
    // The certificate is not for that name. It need not be: its key is looked at, and no name proves anything here.
    return { hostname: security.sni, caCerts, alpnProtocols, unsafelyDisableHostnameVerification: true };
  }
  const hostname = host.replace(/\.$/, ""); // certificates name no root
  if (!security.caCerts) return { hostname, alpnProtocols };
  if (!showsPeers() && !hasNoRoots()) throw new UnprovableError(`cannot go by the CAs that were named: ${BLIND}`);
  return { hostname, caCerts: [...security.caCerts], alpnProtocols };
}

/**
 * Demands that the peer of `tls`, whose handshake is done, is the server at `at`. Nothing may have been sent to it before.
 *
 * @throws {ServerIdentityError} if it is not.
 */
export function demandProof(tls: Deno.TlsConn, security: TlsSecurity, at: string): void {
  if (security.kind === "pki" && !security.caCerts) return; // whatever CA the process trusts: the handshake saw to it
  const shown = peerCertificate(tls);
  if (security.kind === "pinned") {
    const key = shown && certificateKey(shown);
    if (key ? sameBytes(key, security.serverKey) : !shown && security.sni === undefined && hasNoRoots()) return;
    throw new ServerIdentityError(
      `the server at ${at} proved another key than the one this device was joined to, by a certificate of a CA that this ` +
        "machine trusts (only the key counts)",
    );
  }
  if (hasNoRoots() || shown && isIssuedBy(shown, security.caCerts ?? [])) return;
  throw new ServerIdentityError(
    `the certificate of the server at ${at} is from another CA than those named, one that this machine trusts; if one of ` +
      "those named stands behind it, name the CA in between as well, or start this program anew if it has just fetched its " +
      "modules",
  );
}

/** Whether one of `caCerts`, PEM with any number of certificates each, has signed `certificate` itself. */
function isIssuedBy(certificate: Uint8Array, caCerts: readonly string[]): boolean {
  const own = new X509Certificate(certificate);
  return caCerts.flatMap((text) => text.match(CERTIFICATE_BLOCK) ?? []).some((block) => {
    const ca = new X509Certificate(block);
    return own.checkIssued(ca) && own.verify(ca.publicKey);
  });
}

/** A certificate as PEM (RFC 7468). */
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const RUNTIME = `this runtime, Deno ${Deno.version.deno}, does not show the certificate that a server proved`;
const BLIND =
  `${RUNTIME}, and other CAs that it trusts may do as well; start it with DENO_TLS_CA_STORE set to nothing and without ` +
  "DENO_CERT, permit both, dial before anything else uses TLS (to fetch modules, too), or use Deno 2.9";
const NO_NAME = `${RUNTIME}, so the name has to be ${PINNED_NAME}; leave --sni out, or use Deno 2.9`;
