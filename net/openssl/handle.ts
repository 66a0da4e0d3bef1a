/**
 * The owner of one `SSL` of OpenSSL's: what its calls return means one thing, and its first failure stays.
 *
 * @module
 */

import { endOfFile, explainErrors, socketError, takeErrors, TlsError } from "./errors.ts";
import type { OpenSsl } from "./library.ts";
import { explainVerification } from "./proof.ts";

/** A read or a write can go on when the socket can be read. */
export const WANT_READ = -1;
/** A read or a write can go on when the socket can be written. */
export const WANT_WRITE = -2;

/** Numbers of `openssl/ssl.h`. */
const ERROR_WANT_READ = 2;
const ERROR_WANT_WRITE = 3;
const ERROR_SYSCALL = 5;
const ERROR_ZERO_RETURN = 6;

/** An `SSL` on a socket, which is another's. */
export class SslHandle {
  readonly library: OpenSsl;
  readonly fd: number;
  /** The socket as OpenSSL sees it; it lives as long as the `SSL`. */
  readonly socket: Deno.PointerValue;
  /** Whether the handshake is done. */
  isOpen = false;
  #pointer: Deno.PointerValue;
  #failure: TlsError | undefined;

  /** @param context An `SSL_CTX`, which is not kept. */
  constructor(library: OpenSsl, context: Deno.PointerValue, fd: number) {
    if (context === null) throw new Error("the context is closed");
    this.library = library;
    this.fd = fd;
    const { ssl, crypto } = library;
    crypto.ERR_clear_error();
    this.#pointer = ssl.SSL_new(context);
    if (this.#pointer === null || ssl.SSL_set_fd(this.#pointer, fd) !== 1) {
      this.free();
      takeErrors(library);
      throw new Error("OpenSSL has no room for a session");
    }
    this.socket = ssl.SSL_get_rbio(this.#pointer);
  }

  /** For a call, which is not to keep it. @throws {TlsError} if the session has failed; {Error} if it was freed. */
  get pointer(): Deno.PointerValue {
    if (this.#failure) throw this.#failure;
    if (this.#pointer === null) throw new Error("the TLS session was freed");
    return this.#pointer;
  }

  /** The same, also after a failure; `null` when it was freed. */
  get anyPointer(): Deno.PointerValue {
    return this.#pointer;
  }

  /** What the call waits for that has just returned `result`, or 0 at the peer's orderly end. @throws {TlsError} */
  wants(result: number): number {
    const number = this.library.errno.getInt32(); // before another call changes it
    switch (this.library.ssl.SSL_get_error(this.#pointer, result)) {
      case ERROR_WANT_READ:
        return WANT_READ;
      case ERROR_WANT_WRITE:
        return WANT_WRITE;
      case ERROR_ZERO_RETURN:
        return 0;
      case ERROR_SYSCALL:
        takeErrors(this.library);
        throw this.fail(number === 0 ? endOfFile(!this.isOpen) : socketError(number));
      default: {
        const failure = explainErrors(takeErrors(this.library), !this.isOpen);
        const proof = failure.kind === "certificate" ? explainVerification(this.library, this.#pointer) : undefined;
        throw this.fail(proof ?? failure);
      }
    }
  }

  /** Runs `fn`, whose failure is that of the session. */
  checked<T>(fn: () => T): T {
    try {
      return fn();
    } catch (error) {
      throw error instanceof TlsError ? this.fail(error) : error;
    }
  }

  /** The session has failed. @returns `error`. */
  fail(error: TlsError): TlsError {
    return this.#failure = error;
  }

  /** Frees the `SSL`, without a word to the peer. Idempotent. */
  free(): void {
    if (this.#pointer !== null) this.library.ssl.SSL_free(this.#pointer);
    this.#pointer = null;
  }
}
