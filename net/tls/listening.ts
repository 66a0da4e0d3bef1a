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
import { describeError, isExhaustion } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import {
  type CertificateFiles,
  type CertificatePair,
  countCertificates,
  readPair,
  stampOf,
} from "./certificate_files.ts";
import type { TlsEngine, TlsSocket } from "../socket.ts";
import { DailyWarning, type EndWarning, endWarning, pemEnd } from "./validity.ts";

/** The name of wire profile v2 in TLS (ALPN, RFC 7301). */
export const ALPN = "sallyport/2";

/** Where a server's certificate comes from: its identity key, which devices pin, or PEM files. */
export type TlsSource =
  | { readonly kind: "pinned"; readonly keyPair: CryptoKeyPair }
  | CertificateFiles & { readonly kind: "files" };

/** A peer did not get through the TLS handshake. */
export class TlsHandshakeError extends Error {
  override readonly name = "TlsHandshakeError";

  /** Whether the peer ended without having sent a byte, as far as that is known. */
  readonly isMute: boolean;

  /** Whether the peer refused the certificate that it was shown: it looks for another server. */
  readonly refusesKey: boolean;

  /** With one line. */
  constructor(
    message: string,
    options: ErrorOptions & { readonly isMute?: boolean; readonly refusesKey?: boolean } = {},
  ) {
    super(message, options);
    this.isMute = options.isMute ?? false;
    this.refusesKey = options.refusesKey ?? false;
  }
}

/** What is to be done about a certificate that ends. */
const RENEW = "put a new one there, which is taken up without a restart";

/**
 * The certificate of one or more listeners. Files are looked at each second, and read again when they change. A certificate
 * that ends soon is told at the start, and each day.
 */
export class ServerCertificate {
  readonly #source: TlsSource;
  readonly #tls: Pick<TlsEngine, "demandUsable">;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #subscribers = new Set<() => void>();
  readonly #daily = new DailyWarning();
  #pair: CertificatePair;
  #ends: number | undefined;
  #refused = ""; // why what was read last was not taken
  #cancel: (() => void) | undefined;

  private constructor(
    source: TlsSource,
    tls: Pick<TlsEngine, "demandUsable">,
    pair: CertificatePair,
    clock: Clock,
    log: Logger,
  ) {
    this.#source = source;
    this.#tls = tls;
    this.#pair = pair;
    this.#ends = pemEnd(pair.cert);
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Makes or reads the certificate, and begins to watch its files.
   *
   * @param tls What is to use it: a pair that it does not take is none.
   * @throws {CertificateError} if it cannot be used.
   */
  static async open(
    source: TlsSource,
    tls: Pick<TlsEngine, "demandUsable">,
    clock: Clock,
    log: Logger,
  ): Promise<ServerCertificate> {
    if (source.kind === "pinned") {
      return new ServerCertificate(source, tls, await pinnedCertificate(source.keyPair), clock, log);
    }
    const stamp = stampOf(source); // before the files are read: what changes meanwhile is seen later
    const certificate = new ServerCertificate(source, tls, readPair(source, tls), clock, log);
    certificate.#tellEnd();
    certificate.#watch(source, stamp, stamp);
    return certificate;
  }

  /** What new connections are to be given. */
  get pair(): CertificatePair {
    return this.#pair;
  }

  /** When it ends, in milliseconds since 1970; `undefined` if its date cannot be read. */
  get ends(): number | undefined {
    return this.#ends;
  }

  /** A line, if it ends soon or has ended. */
  get warning(): string | undefined {
    const warning = endWarning(this.#ends, this.#clock.wall());
    return warning && this.#warningLine(warning);
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
  #watch(files: CertificateFiles, tried: string, seen: string, still = 0): void {
    this.#cancel = this.#clock.after(CERTIFICATE_POLL_MS, () => {
      this.#tellEnd();
      const stamp = stampOf(files);
      // Two files do not change in one moment: what has stood still since the last look is whole.
      const looks = stamp !== tried && stamp === seen ? still + 1 : 0;
      const settled = looks > 0 && this.#reload(files, looks);
      if (this.#cancel) this.#watch(files, settled ? stamp : tried, stamp, looks);
    });
  }

  /** @returns false if it is worth another try though nothing changes; this is the one of number `tries`. */
  #reload(files: CertificateFiles, tries: number): boolean {
    const { certFile, keyFile } = files;
    try {
      const pair = readPair(files, this.#tls);
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) {
        this.#refused = "";
        return true;
      }
      if (countCertificates(pair.cert) < countCertificates(this.#pair.cert) && tries < CERTIFICATE_CUT_LOOKS) {
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
      this.#ends = pemEnd(pair.cert);
      this.#refused = "";
    } catch (cause) {
      if (isExhaustion(cause instanceof Error ? cause.cause : undefined)) return false;
      const error = describeError(cause);
      if (error !== this.#refused) {
        this.#log.error("{error}; the certificate in use stays", { error, certFile, keyFile });
      }
      this.#refused = error;
      return true;
    }
    this.#log.info("new connections get the new certificate of {certFile}", { certFile, keyFile });
    this.#tellEnd();
    for (const subscriber of this.#subscribers) subscriber();
    return true;
  }

  #tellEnd(): void {
    const due = this.#daily.due(this.#ends, this.#clock.wall());
    if (!due) return;
    const facts = { warning: this.#warningLine(due), ends: new Date(this.#ends!).toISOString() };
    if (due.isOver) this.#log.error("{warning}", facts);
    else this.#log.warn("{warning}", facts);
  }

  #warningLine({ isOver, text }: EndWarning): string {
    const which = this.#source.kind === "files" ? `the certificate in ${this.#source.certFile}` : "the certificate";
    return `${which} ${text}${isOver ? ", and devices refuse it" : ""}: ${RENEW}`;
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
