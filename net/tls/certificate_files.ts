/**
 * A certificate and its key in PEM files: read whole, or not at all.
 *
 * @module
 */

import { describeError, whyUnreadable } from "../../base/errors.ts";
import type { TlsEngine } from "../socket.ts";
import { readPemFile } from "./pem_file.ts";

/** Where a certificate (with what leads to its CA) and its key are. */
export interface CertificateFiles {
  /** The certificates, the server's own first. */
  readonly certFile: string;
  /** Its private key. */
  readonly keyFile: string;
}

/** A certificate (with what leads to its CA) and its key, as PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate or a key cannot be used; the text says which file and why. */
export class CertificateError extends Error {
  /** Tells it from other errors where the class cannot. */
  override readonly name = "CertificateError";
}

/** What speaks TLS does not take a pair; `mismatch`: the key is not that of the certificate. */
export class PairError extends Error {
  override readonly name = "PairError";

  /** With one line. */
  constructor(readonly kind: "mismatch" | "unusable", message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** What changes when a file is written, replaced, or linked elsewhere. */
export function stampOf({ certFile, keyFile }: CertificateFiles): string {
  return [certFile, keyFile].map((file) => {
    try {
      const { mtime, size, ino } = Deno.statSync(file);
      return `${mtime?.getTime()} ${size} ${ino}`;
    } catch (error) {
      return describeError(error);
    }
  }).join("\n");
}

/** How many certificates there are in a text. */
export function countCertificates(pem: string): number {
  return pem.split("-----BEGIN CERTIFICATE-----").length - 1;
}

/** Reads a pair that `tls` takes. @throws {CertificateError} with which file it is, and what is wrong. */
export function readPair(files: CertificateFiles, tls: Pick<TlsEngine, "demandUsable">): CertificatePair {
  const { certFile, keyFile } = files;
  const pair = {
    cert: readPem(certFile, "tls-cert", "a certificate", /^CERTIFICATE$/),
    key: readPem(keyFile, "tls-key", "a private key", /^(RSA |EC )?PRIVATE KEY$/),
  };
  try {
    tls.demandUsable(pair);
    return pair;
  } catch (cause) {
    throw new CertificateError(
      cause instanceof PairError && cause.kind === "mismatch"
        ? `the key in ${keyFile} is not that of the certificate in ${certFile}`
        : `the certificate in ${certFile} and the key in ${keyFile} cannot be used: ${describeError(cause)}`,
      { cause },
    );
  }
}

/** Reads a file and sees that it has whole blocks of PEM alone, and one whose label fits. */
function readPem(file: string, option: string, what: string, label: RegExp): string {
  let text: string;
  try {
    text = readPemFile(file);
  } catch (cause) {
    throw new CertificateError(`Cannot read ${what} from ${file} (${option}): ${whyUnreadable(cause)}`, { cause });
  }
  const blocks = [...text.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----\s+(?:[A-Za-z0-9+/=]+\s+)+-----END \1-----/gm)];
  const labels = blocks.map((block) => block[1] ?? "");
  const begun = text.match(/^-----BEGIN /gm)?.length ?? 0;
  const isEncrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text);
  if (labels.some((each) => label.test(each)) && (begun === blocks.length || isEncrypted)) return text;
  const hint = isEncrypted
    ? "it is encrypted, and nobody is there to give the passphrase"
    : labels.length > 0 && begun > blocks.length
    ? "it is not whole: a block in it is damaged, or has no end"
    : labels.length > 0
    ? `it has ${labels.join(", ")}`
    : "it is not PEM, or not whole";
  throw new CertificateError(`Cannot read ${what} from ${file} (${option}): ${hint}`);
}
