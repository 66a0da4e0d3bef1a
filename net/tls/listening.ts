/**
 * What a TLS listener needs: its certificate, from the identity key or from files that are watched, and the handshake
 * of those who come.
 *
 * @module
 */

import { CERTIFICATE_CUT_LOOKS, CERTIFICATE_POLL_MS } from "../limits.ts";
import { pinnedCertificate } from "./certificate.ts";
import type { Clock } from "../../base/clock.ts";
import { Late, within } from "../../base/within.ts";
import { describeError, isExhaustion, whyUnreadable } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { readPemFile } from "./pem_file.ts";
import type { TlsSocket } from "../socket.ts";

/** The name of wire profile v2 in TLS (ALPN, RFC 7301). */
export const ALPN = "sallyport/2";

/** Where a server's certificate comes from: its identity key, which devices pin, or PEM files. */
export type TlsSource =
  | { readonly kind: "pinned"; readonly keyPair: CryptoKeyPair }
  | { readonly kind: "files"; readonly certFile: string; readonly keyFile: string };

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

/** A peer did not get through the TLS handshake. */
export class TlsHandshakeError extends Error {
  override readonly name = "TlsHandshakeError";

  /** Whether the peer ended without having sent a byte, as far as that is known. */
  readonly isMute: boolean;

  /** With one line. */
  constructor(message: string, options: ErrorOptions & { readonly isMute?: boolean } = {}) {
    super(message, options);
    this.isMute = options.isMute ?? false;
  }
}

type Files = Extract<TlsSource, { kind: "files" }>;

/** The certificate of one or more listeners. Files are looked at each second, and read again when they change. */
export class ServerCertificate {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #subscribers = new Set<() => void>();
  #pair: CertificatePair;
  #cancel: (() => void) | undefined;

  private constructor(pair: CertificatePair, clock: Clock, log: Logger) {
    this.#pair = pair;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Makes or reads the certificate, and begins to watch its files.
   *
   * @throws {CertificateError} if it cannot be used.
   */
  static async open(source: TlsSource, clock: Clock, log: Logger): Promise<ServerCertificate> {
    if (source.kind === "pinned") return new ServerCertificate(await pinnedCertificate(source.keyPair), clock, log);
    const stamp = stampOf(source); // before the files are read: what changes meanwhile is seen later
    const certificate = new ServerCertificate(readPair(source), clock, log);
    certificate.#watch(source, stamp, stamp);
    return certificate;
  }

  /** What new connections are to be given. */
  get pair(): CertificatePair {
    return this.#pair;
  }

  /** Calls `subscriber` whenever `pair` has changed. @returns what ends that. */
  subscribe(subscriber: () => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** Stops to watch. Idempotent. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /**
   * Looks again in a second. `tried` is what was read last, `seen` what was there when the files were looked at last, and
   * has been for `still` looks before.
   */
  #watch(files: Files, tried: string, seen: string, still = 0): void {
    this.#cancel = this.#clock.after(CERTIFICATE_POLL_MS, () => {
      const stamp = stampOf(files);
      // Two files do not change in one moment: what has stood still since the last look is whole.
      const looks = stamp !== tried && stamp === seen ? still + 1 : 0;
      const settled = looks > 0 && this.#reload(files, looks);
      if (this.#cancel) this.#watch(files, settled ? stamp : tried, stamp, looks);
    });
  }

  /** @returns false if it is worth another try though nothing changes; this is the one of number `tries`. */
  #reload(files: Files, tries: number): boolean {
    const { certFile, keyFile } = files;
    try {
      const pair = readPair(files);
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) return true;
      if (countBlocks(pair.cert) < countBlocks(this.#pair.cert) && tries < CERTIFICATE_CUT_LOOKS) {
        const what = "it has fewer certificates than before, as if it were cut off";
        const seconds = CERTIFICATE_CUT_LOOKS * CERTIFICATE_POLL_MS / 1000;
        if (tries > 1) return false;
        this.#log.error("{certFile} is not taken up yet: {what}; in {seconds} s, if it stands still", {
          certFile,
          what,
          seconds,
        });
        return false;
      }
      this.#pair = pair;
    } catch (error) {
      if (isExhaustion(error instanceof Error ? error.cause : undefined)) return false;
      this.#log.error("{error}; the certificate in use stays", { error: describeError(error), certFile, keyFile });
      return true;
    }
    this.#log.info("new connections get the new certificate of {certFile}", { certFile, keyFile });
    for (const subscriber of this.#subscribers) subscriber();
    return true;
  }
}

/**
 * Takes an accepted connection through its handshake.
 *
 * @throws {TlsHandshakeError} with one line about why it failed, or took more than `timeout` milliseconds; the connection
 * is closed then. Whoever wants to end it earlier cuts it.
 */
export async function handshakeTls(socket: TlsSocket, clock: Clock, timeout: number): Promise<void> {
  try {
    await within(clock, timeout, () => socket.cut(), () => socket.handshake());
  } catch (error) {
    throw error instanceof Late ? new TlsHandshakeError(`no TLS handshake within ${timeout / 1000} s`) : error;
  }
}

/** What changes when a file is written, replaced, or linked elsewhere. */
function stampOf({ certFile, keyFile }: Files): string {
  return [certFile, keyFile].map((file) => {
    try {
      const { mtime, size, ino } = Deno.statSync(file);
      return `${mtime?.getTime()} ${size} ${ino}`;
    } catch (error) {
      return describeError(error);
    }
  }).join("\n");
}

function countBlocks(pem: string): number {
  return pem.split("-----BEGIN CERTIFICATE-----").length - 1;
}

function readPair({ certFile, keyFile }: Files): CertificatePair {
  const cert = readPem(certFile, "tls-cert", "a certificate", /^CERTIFICATE$/);
  const key = readPem(keyFile, "tls-key", "a private key", /^(RSA |EC )?PRIVATE KEY$/);
  try {
    // The runtime says what it thinks of a pair only when it listens.
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) return { cert, key }; // then it is found out where it is used
    const why = describeError(cause);
    throw new CertificateError(
      why.includes("KeyMismatch")
        ? `the key in ${keyFile} is not that of the certificate in ${certFile}`
        : `the certificate in ${certFile} and the key in ${keyFile} cannot be used: ${why}`,
      { cause },
    );
  }
  return { cert, key };
}

/** Reads a file and sees that it has a whole block of PEM whose label fits. */
function readPem(file: string, option: string, what: string, label: RegExp): string {
  let text: string;
  try {
    text = readPemFile(file);
  } catch (cause) {
    throw new CertificateError(`Cannot read ${what} from ${file} (${option}): ${whyUnreadable(cause)}`, { cause });
  }
  const blocks = [...text.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----\s+(?:[A-Za-z0-9+/=]+\s+)+-----END \1-----/gm)];
  const labels = blocks.map((block) => block[1] ?? "");
  if (labels.some((each) => label.test(each))) return text;
  const hint = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text)
    ? "it is encrypted, and nobody is there to give the passphrase"
    : labels.length > 0
    ? `it has ${labels.join(", ")}`
    : "it is not PEM, or not whole";
  throw new CertificateError(`Cannot read ${what} from ${file} (${option}): ${hint}`);
}
