/**
 * What the runtime's errors of TLS mean to a user. It gives them no code, so their text is looked at; nothing but the
 * wording depends on it, and text that is not known is passed on.
 *
 * @module
 */

import { formatAddress } from "../../protocol/address.ts";
import { describeError } from "../../base/errors.ts";
import { ALPN, TlsHandshakeError } from "../tls/listening.ts";
import { clockSays, PLAIN_HINT, ServerIdentityError } from "../tls/proof.ts";
import type { TlsTarget } from "../socket.ts";

/** What is to be thrown for `cause`. */
export function explainTls(cause: unknown, target: TlsTarget): unknown {
  const { server, security, wallClock } = target;
  const text = describeError(cause);
  const at = formatAddress(server);
  const speaker = `what answers at ${at}`;
  if (text.includes("invalid peer certificate")) {
    const [, fault] = CERTIFICATE_FAULTS.find(([pattern]) => pattern.test(text)) ?? [];
    const meaning = security.kind === "pinned" && DATE_FAULT.test(text)
      ? `the certificate of the server at ${at} does not hold now: ${clockSays(wallClock)}`
      : security.kind === "pinned"
      ? `the server at ${at} proved another key than the one this device was joined to`
      : `the certificate of the server at ${at} ${fault?.(server.host, wallClock) ?? "is not valid"}`;
    return new ServerIdentityError(`${meaning} (${text})`, { cause });
  }
  if (text.includes("NoApplicationProtocol")) {
    return new TlsHandshakeError(`${speaker} speaks TLS, but not ${ALPN}`, { cause });
  }
  if (text.includes("corrupt message")) {
    return new TlsHandshakeError(`${speaker} does not speak TLS; ${PLAIN_HINT}`, { cause });
  }
  if (cause instanceof Deno.errors.UnexpectedEof || text.includes("handshake eof")) {
    return new TlsHandshakeError(`${speaker} closed in the TLS handshake; ${PLAIN_HINT}`, { cause });
  }
  if (text.includes("fatal alert")) return new TlsHandshakeError(`${speaker} refused TLS: ${text}`, { cause });
  return cause;
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
