/**
 * Whether a server is who it should be: what is set before the handshake, and what is looked at after it.
 *
 * Pinned keys are DANE-EE records (RFC 7671 §5.1) of the key itself: OpenSSL then goes by these, within the handshake, and
 * by no CA.
 *
 * @module
 */

import { parseIP } from "../../protocol/ip.ts";
import { cString, type OpenSsl, textAt } from "./library.ts";
import { type CertificateFault, TlsError } from "./errors.ts";
import type { TlsContext } from "./context.ts";

type Pointer = Deno.PointerValue;

/** Numbers of `openssl/x509_vfy.h` and `x509v3.h`. */
const V_OK = 0;
const V_DANE_NO_MATCH = 65;
const NO_PARTIAL_WILDCARDS = 4;
const NEVER_CHECK_SUBJECT = 0x20;
const FAULTS: Readonly<Record<number, CertificateFault>> = {
  2: "unknown-issuer",
  4: "bad-signature",
  7: "bad-signature",
  9: "not-yet-valid",
  10: "expired",
  18: "unknown-issuer",
  19: "unknown-issuer",
  20: "unknown-issuer",
  21: "unknown-issuer",
  27: "unknown-issuer",
  62: "name",
  64: "name",
};

/** DANE-EE(3), SPKI(1), Full(0): the server's own key, as it is. */
const [DANE_EE, SPKI, FULL] = [3, 1, 0];
const CTRL_SET_HOST_NAME = 55;
/** DANE wants a name, though none is looked at. */
const NO_NAME = "pinned.invalid";
/** What `X509_check_ca` says of a certificate that says so itself. */
const IS_AUTHORITY = 1;

/** Tells a session whom to expect, before its handshake. */
export function expectServer(context: TlsContext, session: Pointer, serverName: string, verifyName?: string): void {
  const { ssl, crypto } = context.library;
  const isName = serverName !== "" && !parseIP(serverName); // an address is no name in TLS (RFC 6066 §3)
  if (isName) demand(ssl.SSL_ctrl(session, CTRL_SET_HOST_NAME, 0n, cString(serverName)) === 1n);
  if (context.trust?.kind === "pinned") {
    demand(ssl.SSL_dane_enable(session, cString(isName ? serverName : NO_NAME)) > 0);
    if (!isName) ssl.SSL_ctrl(session, CTRL_SET_HOST_NAME, 0n, null); // it would be sent
    for (const pin of context.pins) {
      demand(ssl.SSL_dane_tlsa_add(session, DANE_EE, SPKI, FULL, pin, BigInt(pin.length)) > 0);
    }
    return;
  }
  if (!verifyName) throw new TypeError("a certificate is checked for a name or an address");
  const param = ssl.SSL_get0_param(session);
  crypto.X509_VERIFY_PARAM_set_hostflags(param, NO_PARTIAL_WILDCARDS | NEVER_CHECK_SUBJECT);
  const text = cString(verifyName);
  demand(
    !parseIP(verifyName)
      ? crypto.X509_VERIFY_PARAM_set1_host(param, text, BigInt(text.length - 1)) === 1
      : crypto.X509_VERIFY_PARAM_set1_ip_asc(param, text) === 1,
  );
}

function demand(done: boolean): void {
  if (!done) throw new Error("OpenSSL does not take the server's name or its keys");
}

/** What a failed look at the certificate means. */
export function explainVerification(library: OpenSsl, session: Pointer): TlsError | undefined {
  const result = Number(library.ssl.SSL_get_verify_result(session));
  if (result === V_OK) return undefined;
  if (result === V_DANE_NO_MATCH) return new TlsError("the server proved another key than the pinned one", "pin");
  const text = textAt(library.crypto.X509_verify_cert_error_string(BigInt(result)));
  return new TlsError(`invalid peer certificate: ${text}`, "certificate", { fault: FAULTS[result] ?? "other" });
}

/**
 * Looks at what OpenSSL does not, when the handshake is done: the dates of a pinned key's certificate, and that the
 * certificate is not that of a CA.
 *
 * @throws {TlsError} if it does not hold.
 */
export function demandPlainCertificate({ ssl, crypto }: OpenSsl, session: Pointer): void {
  const certificate = ssl.SSL_get1_peer_certificate(session);
  if (certificate === null) throw new TlsError("the server showed no certificate", "certificate", { fault: "other" });
  try {
    const fault = crypto.X509_cmp_current_time(crypto.X509_get0_notAfter(certificate)) <= 0
      ? "expired"
      : crypto.X509_cmp_current_time(crypto.X509_get0_notBefore(certificate)) >= 0
      ? "not-yet-valid"
      : crypto.X509_check_ca(certificate) === IS_AUTHORITY
      ? "is-authority"
      : undefined;
    if (fault) throw new TlsError(`invalid peer certificate: ${WORDS[fault]}`, "certificate", { fault });
  } finally {
    crypto.X509_free(certificate);
  }
}

const WORDS = {
  "expired": "certificate has expired",
  "not-yet-valid": "certificate is not yet valid",
  "is-authority": "it is that of a CA itself",
} as const;
