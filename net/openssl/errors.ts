/**
 * What goes wrong with TLS, as one line for people and one word for programs.
 *
 * @module
 */

import type { Stranger } from "../../protocol/detect.ts";
import { type OpenSsl, textAt } from "./library.ts";

/**
 * Why a TLS session failed:
 *
 * - `not-tls`: the peer began with something else; `speaks` says with what;
 * - `version`: it has no TLS 1.3; `alpn`: it has not the protocol that was asked for;
 * - `pin`: it proved another key than those pinned;
 * - `certificate`: its certificate does not hold; `fault` says why;
 * - `refused-certificate`: it does not take the certificate; `alert`: it refused otherwise, in TLS; `protocol`: what it sent is no TLS, or was changed on the way;
 * - `eof`: it closed in the handshake; `truncated`: it closed later without the end that TLS has;
 * - `socket`: the system says so; `code` has the word for it.
 */
export type TlsFailure =
  | "not-tls"
  | "version"
  | "alpn"
  | "pin"
  | "certificate"
  | "alert"
  | "refused-certificate"
  | "protocol"
  | "eof"
  | "truncated"
  | "socket";

/** What is wrong with a peer's certificate. */
export type CertificateFault =
  | "unknown-issuer"
  | "bad-signature"
  | "name"
  | "expired"
  | "not-yet-valid"
  | "is-authority"
  | "other";

/** A TLS session failed. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  /** What the certificate lacks, with `certificate`. */
  readonly fault: CertificateFault | undefined;
  /** The system's word, such as `ECONNRESET`, with `socket`. */
  readonly code: string | undefined;
  /** Who began, with `not-tls`, as far as it is known. */
  readonly speaks: Stranger["speaks"] | undefined;

  /** With one line, and what kind it is. */
  constructor(
    message: string,
    readonly kind: TlsFailure,
    details: {
      readonly fault?: CertificateFault;
      readonly code?: string;
      readonly speaks?: Stranger["speaks"];
    } = {},
  ) {
    super(message);
    this.fault = details.fault;
    this.code = details.code;
    this.speaks = details.speaks;
  }
}

/**
 * A certificate, a key, or a list of CAs cannot be used:
 *
 * - `not-pem`: there is none in the text; `damaged`: there is one that cannot be read; `encrypted`: it takes a passphrase;
 * - `mismatch`: the key is not that of the certificate;
 * - `unusable`: OpenSSL does not take it, as when its key is too short.
 */
export class TlsSetupError extends Error {
  override readonly name = "TlsSetupError";

  /** With one line, what is wrong, and with what. */
  constructor(
    message: string,
    readonly kind: "not-pem" | "damaged" | "encrypted" | "mismatch" | "unusable",
    readonly of: "certificate" | "key" | "ca",
  ) {
    super(message);
  }
}

/** Numbers of `openssl/err.h`. */
export const LIB_SSL = 20;
export const LIB_PEM = 9;
export const LIB_X509 = 11;
/** What OpenSSL adds to the number of an alert from the peer (`SSL_AD_REASON_OFFSET`). */
const ALERT_OFFSET = 1000;
const SYSTEM_FLAG = 0x8000_0000n;

/** The first entry of the error queue: what happened, before what came of it. */
export interface QueuedError {
  readonly lib: number;
  readonly reason: number;
  /** OpenSSL's words. */
  readonly text: string;
}

/** Takes the error queue of this thread, and leaves it empty. */
export function takeErrors({ crypto }: OpenSsl): QueuedError[] {
  const all: QueuedError[] = [];
  for (let code = crypto.ERR_get_error(); code !== 0n; code = crypto.ERR_get_error()) {
    const text = textAt(crypto.ERR_reason_error_string(code));
    if ((code & SYSTEM_FLAG) !== 0n) all.push({ lib: 2, reason: Number(code & 0x7fff_ffffn), text: text || "system" });
    else {
      const [lib, reason] = [Number(code >> 23n & 0xffn), Number(code & 0x7f_ffffn)];
      all.push({ lib, reason, text: text || `error ${lib}:${reason}` });
    }
  }
  return all;
}

/** Reasons of `openssl/sslerr.h`. */
const NO_APPLICATION_PROTOCOL = 235;
const UNEXPECTED_EOF = 294;
const NOT_TLS = [155, 156, 267, 252]; // HTTP, CONNECT, wrong version number, unknown protocol
const OTHER_VERSION = [258, 266, 396, 191]; // unsupported protocol, wrong version, version too low, none available
const CERTIFICATE_VERIFY_FAILED = 134;

/** Alerts by number (RFC 8446 §6), in words. */
const ALERTS: Readonly<Record<number, string>> = {
  10: "unexpected message",
  20: "bad record MAC",
  22: "record overflow",
  40: "handshake failure",
  42: "bad certificate",
  43: "unsupported certificate",
  44: "certificate revoked",
  45: "certificate expired",
  46: "certificate unknown",
  47: "illegal parameter",
  48: "unknown CA",
  49: "access denied",
  50: "decode error",
  51: "decrypt error",
  70: "protocol version",
  71: "insufficient security",
  80: "internal error",
  86: "inappropriate fallback",
  90: "user canceled",
  109: "missing extension",
  110: "unsupported extension",
  112: "unrecognized name",
  116: "certificate required",
  120: "no application protocol",
};

/** Words for the errors of sockets; others are told by number. */
const SYSTEM: Readonly<Record<number, readonly [code: string, text: string]>> = {
  9: ["EBADF", "Bad file descriptor"],
  12: ["ENOMEM", "Cannot allocate memory"],
  32: ["EPIPE", "Broken pipe"],
  88: ["ENOTSOCK", "Not a socket"],
  100: ["ENETDOWN", "Network is down"],
  101: ["ENETUNREACH", "Network is unreachable"],
  103: ["ECONNABORTED", "Software caused connection abort"],
  104: ["ECONNRESET", "Connection reset by peer"],
  105: ["ENOBUFS", "No buffer space available"],
  107: ["ENOTCONN", "Not connected"],
  111: ["ECONNREFUSED", "Connection refused"],
  110: ["ETIMEDOUT", "Connection timed out"],
  113: ["EHOSTUNREACH", "No route to host"],
};

/** What a number of `errno` means. */
export function socketError(errno: number): TlsError {
  const [code, text] = SYSTEM[errno] ?? [`E${errno}`, "the socket failed"];
  return new TlsError(`${text} (os error ${errno})`, "socket", { code });
}

/** What OpenSSL's errors mean; certificates are explained elsewhere. */
export function explainErrors(errors: readonly QueuedError[], inHandshake: boolean): TlsError {
  const first = errors.find(({ lib }) => lib === LIB_SSL) ?? errors[0];
  if (!first) return new TlsError("TLS failed without a word", "protocol");
  const { lib, reason, text } = first;
  if (lib !== LIB_SSL) return new TlsError(`TLS failed: ${text}`, "protocol");
  if (reason > ALERT_OFFSET) return alert(reason - ALERT_OFFSET);
  if (reason === UNEXPECTED_EOF) return endOfFile(inHandshake);
  if (reason === NO_APPLICATION_PROTOCOL) return new TlsError("the peer offers other protocols (ALPN)", "alpn");
  if (NOT_TLS.includes(reason)) return new TlsError("the peer does not speak TLS", "not-tls");
  if (OTHER_VERSION.includes(reason)) return new TlsError("the peer does not speak TLS 1.3", "version");
  if (reason === CERTIFICATE_VERIFY_FAILED) return new TlsError("the certificate does not hold", "certificate");
  return new TlsError(`not valid TLS: ${text}`, "protocol");
}

/** The peer closed: in the handshake, or later without the end that TLS has. */
export function endOfFile(inHandshake: boolean): TlsError {
  return inHandshake
    ? new TlsError("the peer closed the connection in the TLS handshake", "eof")
    : new TlsError("the peer closed the connection without close_notify, so bytes may be missing", "truncated");
}

/** Alerts of who does not take a certificate; 51: what signs it, or is signed with it, is of another key (RFC 8446 §6.2). */
const REFUSED_CERTIFICATE: readonly number[] = [42, 43, 44, 45, 46, 48, 51];

function alert(number: number): TlsError {
  const text = `the peer refused: fatal alert: ${ALERTS[number] ?? number}`;
  if (number === 120) return new TlsError(text, "alpn");
  if (REFUSED_CERTIFICATE.includes(number)) return new TlsError(text, "refused-certificate");
  return new TlsError(text, number === 70 ? "version" : "alert");
}
