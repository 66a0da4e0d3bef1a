/**
 * Certificates, keys and CAs out of PEM, into a context.
 *
 * @module
 */

import { cString, type OpenSsl, textAt } from "./library.ts";
import { LIB_PEM, LIB_X509, takeErrors, TlsSetupError } from "./errors.ts";

type Pointer = Deno.PointerValue;

const PEM_NO_START_LINE = 108;
/** The key is of another kind, or of another pair. */
const X509_KEY_MISMATCH = [115, 116];
const CTRL_CHAIN_CERT = 89;
const V_FLAG_PARTIAL_CHAIN = 0x80000n;

/** Where systems keep all CAs in one file, most usual first. */
export const CA_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/**
 * Gives a context the certificate with what leads to its CA, and the key, both as PEM.
 *
 * @throws {TlsSetupError} if they cannot be used.
 */
export function useCertificate(library: OpenSsl, context: Pointer, pair: { cert: string; key: string }): void {
  const { ssl, crypto } = library;
  crypto.ERR_clear_error();
  const chain = readCertificates(library, pair.cert, "certificate");
  try {
    if (ssl.SSL_CTX_use_certificate(context, chain[0]!) !== 1) throw unusable(library, "certificate");
    for (const each of chain.slice(1)) {
      if (ssl.SSL_CTX_ctrl(context, CTRL_CHAIN_CERT, 1n, each) !== 1n) throw unusable(library, "certificate");
    }
  } finally {
    for (const each of chain) crypto.X509_free(each);
  }
  const key = readKey(library, pair.key);
  try {
    if (ssl.SSL_CTX_use_PrivateKey(context, key) === 1) return;
    const [error] = takeErrors(library);
    if (error?.lib === LIB_X509 && X509_KEY_MISMATCH.includes(error.reason)) {
      throw new TlsSetupError("the key is not that of the certificate", "mismatch", "key");
    }
    throw new TlsSetupError(`the key cannot be used: ${error?.text ?? "no reason given"}`, "unusable", "key");
  } finally {
    crypto.EVP_PKEY_free(key);
  }
}

/**
 * Has a context go by these CAs alone. One in between that is named stands for itself.
 *
 * @throws {TlsSetupError} if there is none in the text, or one that cannot be read.
 */
export function trustAuthorities(library: OpenSsl, context: Pointer, text: string): void {
  const { ssl, crypto } = library;
  crypto.ERR_clear_error();
  const authorities = readCertificates(library, text, "ca");
  try {
    const store = ssl.SSL_CTX_get_cert_store(context);
    for (const each of authorities) {
      if (crypto.X509_STORE_add_cert(store, each) !== 1) throw unusable(library, "ca");
    }
    crypto.X509_VERIFY_PARAM_set_flags(ssl.SSL_CTX_get0_param(context), V_FLAG_PARTIAL_CHAIN);
  } finally {
    for (const each of authorities) crypto.X509_free(each);
  }
}

/**
 * Has a context go by the CAs of the system: OpenSSL's own, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name; where there
 * are none, those of the first of `bundles` that is there.
 */
export function trustSystem(library: OpenSsl, context: Pointer, bundles = CA_BUNDLES): void {
  const { ssl, crypto, libc } = library;
  ssl.SSL_CTX_set_default_verify_paths(context);
  const isTold = ["SSL_CERT_FILE", "SSL_CERT_DIR"].some((name) => libc.secure_getenv(cString(name)) !== null);
  if (!isTold && !hasEntries(textAt(crypto.X509_get_default_cert_dir()))) {
    bundles.some((bundle) => ssl.SSL_CTX_load_verify_file(context, cString(bundle)) === 1);
  }
  crypto.ERR_clear_error();
}

/** Whether there is anything in a folder, as far as that may be read. */
function hasEntries(folder: string): boolean {
  try {
    if (Deno.permissions.querySync({ name: "read", path: folder }).state !== "granted") return false;
    return Deno.readDirSync(folder)[Symbol.iterator]().next().done !== true;
  } catch {
    return false;
  }
}

/** All certificates in a text, one at least; whoever asks frees them. */
function readCertificates(library: OpenSsl, text: string, of: "certificate" | "ca"): Pointer[] {
  const { crypto } = library;
  const bytes = new TextEncoder().encode(text);
  const bio = crypto.BIO_new_mem_buf(bytes.length > 0 ? bytes : new Uint8Array(1), bytes.length);
  const all: Pointer[] = [];
  try {
    for (;;) {
      const next = crypto.PEM_read_bio_X509(bio, null, null, NO_PASSPHRASE);
      if (next === null) break;
      all.push(next);
    }
  } finally {
    crypto.BIO_free(bio);
  }
  const [error] = takeErrors(library);
  const atEnd = error === undefined || error.lib === LIB_PEM && error.reason === PEM_NO_START_LINE;
  if (atEnd && all.length > 0) return all;
  for (const each of all) crypto.X509_free(each);
  const what = of === "ca" ? "a CA's certificate" : "a certificate";
  if (atEnd) throw new TlsSetupError(`there is no PEM with ${what} in the text`, "not-pem", of);
  throw new TlsSetupError(`${what} in the text is damaged: ${error.text}`, "damaged", of);
}

function readKey(library: OpenSsl, text: string): Pointer {
  const { crypto } = library;
  const bytes = new TextEncoder().encode(text);
  const bio = crypto.BIO_new_mem_buf(bytes.length > 0 ? bytes : new Uint8Array(1), bytes.length);
  const key = crypto.PEM_read_bio_PrivateKey(bio, null, null, NO_PASSPHRASE);
  crypto.BIO_free(bio);
  const [error] = takeErrors(library);
  if (key !== null) return key;
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw new TlsSetupError("the key is encrypted, and nobody is there to give the passphrase", "encrypted", "key");
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new TlsSetupError("there is no PEM with a private key in the text", "not-pem", "key");
  }
  throw new TlsSetupError(`the private key in the text is damaged: ${error?.text ?? "not whole"}`, "damaged", "key");
}

/** What OpenSSL takes for the passphrase, in place of asking the terminal for one. */
const NO_PASSPHRASE = new Uint8Array(1);

function unusable(library: OpenSsl, of: "certificate" | "ca"): TlsSetupError {
  const why = takeErrors(library)[0]?.text ?? "no reason given";
  return new TlsSetupError(`the ${of === "ca" ? "CA's certificate" : of} cannot be used: ${why}`, "unusable", of);
}
