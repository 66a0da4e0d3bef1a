/**
 * What a failed handshake with a server means to a user.
 *
 * @module
 */

import { formatAddress } from "../../protocol/address.ts";
import { type CertificateFault, TlsError } from "../openssl/errors.ts";
import type { TlsTarget } from "../socket.ts";
import { ALPN, TlsHandshakeError } from "../tls/listening.ts";
import { clockSays, PLAIN_HINT, ServerIdentityError } from "../tls/proof.ts";

/** What is to be thrown for `cause`. */
export function explainTls(cause: unknown, { server, security, wallClock }: TlsTarget): unknown {
  if (!(cause instanceof TlsError)) return cause;
  const at = formatAddress(server);
  const speaker = `what answers at ${at}`;
  const { message } = cause;
  switch (cause.kind) {
    case "pin":
      return new ServerIdentityError(
        `the server at ${at} proved another key than the one this device was joined to (${message})`,
        { cause },
      );
    case "certificate": {
      const meaning = security.kind === "pinned"
        ? `the certificate of the server at ${at} does not hold now: ${clockSays(wallClock)}`
        : `the certificate of the server at ${at} ${FAULTS[cause.fault ?? "other"](server.host, wallClock)}`;
      return new ServerIdentityError(`${meaning} (${message})`, { cause });
    }
    case "alpn":
      return new TlsHandshakeError(`${speaker} speaks TLS, but not ${ALPN}`, { cause });
    case "not-tls":
      return new TlsHandshakeError(`${speaker} does not speak TLS; ${PLAIN_HINT}`, { cause });
    case "eof":
    case "truncated":
      return new TlsHandshakeError(`${speaker} closed in the TLS handshake; ${PLAIN_HINT}`, { cause });
    case "alert":
    case "refused-certificate":
    case "version":
    case "protocol":
      return new TlsHandshakeError(`${speaker} refused TLS: ${message}`, { cause });
    case "socket":
      return cause;
  }
}

const FAULTS: Readonly<Record<CertificateFault, (host: string, wallClock: number) => string>> = {
  "unknown-issuer": () => "is from a CA that this device does not know; give that CA's with --ca FILE",
  "is-authority": () => "is that of a CA itself",
  "name": (host) => `is not for ${host}`,
  "expired": (_, wallClock) => `has expired: ${clockSays(wallClock)}`,
  "not-yet-valid": (_, wallClock) => `is not valid yet: ${clockSays(wallClock)}`,
  "bad-signature": () => "is not signed by the CA that it names",
  "other": () => "is not valid",
};
