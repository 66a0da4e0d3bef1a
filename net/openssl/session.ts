/**
 * One TLS connection on a socket that does not block.
 *
 * @module
 */

import { type OpenSsl, textAt } from "./library.ts";
import { endOfFile, explainErrors, socketError, takeErrors, TlsError } from "./errors.ts";
import { demandPlainCertificate, expectServer, explainVerification } from "./proof.ts";
import type { TlsContext } from "./context.ts";

/** A read or a write can go on when the socket can be read. */
export const WANT_READ = -1;
/** A read or a write can go on when the socket can be written. */
export const WANT_WRITE = -2;

/** Numbers of `openssl/ssl.h`. */
const ERROR_WANT_READ = 2;
const ERROR_WANT_WRITE = 3;
const ERROR_SYSCALL = 5;
const ERROR_ZERO_RETURN = 6;

/** The most that one record carries, in bytes (RFC 8446 §5.1). */
const MAX_RECORD = 16_384;

/** Whom a client expects, and by what name it asks for it. */
export interface ServerNames {
  /** The name to send (SNI); an address is not sent. */
  readonly serverName: string;
  /** The name or the address that a CA's certificate has to be for; not looked at with pinned keys. */
  readonly verifyName: string | undefined;
}

/**
 * A TLS session. It knows its socket's descriptor and never closes it. Its methods try at once and never wait; after one has
 * thrown, all do, with the same error.
 */
export class TlsSession {
  readonly #library: OpenSsl;
  readonly #context: TlsContext;
  readonly #isServer: boolean;
  /** The `SSL`, which is this session's alone; `null` when it is freed. */
  #pointer: Deno.PointerValue;
  #isDone = false;
  #failure: TlsError | undefined;

  private constructor(context: TlsContext, fd: number, isServer: boolean) {
    if (context.pointer === null) throw new Error("the context is closed");
    this.#library = context.library;
    this.#context = context;
    this.#isServer = isServer;
    const { ssl, crypto } = context.library;
    crypto.ERR_clear_error();
    this.#pointer = ssl.SSL_new(context.pointer);
    if (this.#pointer === null || ssl.SSL_set_fd(this.#pointer, fd) !== 1) {
      this.free();
      throw new Error("OpenSSL has no room for a session");
    }
  }

  /** For a connection that was accepted. */
  static accept(context: TlsContext, fd: number): TlsSession {
    const session = new TlsSession(context, fd, true);
    session.#library.ssl.SSL_set_accept_state(session.#pointer);
    return session;
  }

  /** For a connection that was dialled. */
  static connect(context: TlsContext, fd: number, { serverName, verifyName }: ServerNames): TlsSession {
    const session = new TlsSession(context, fd, false);
    try {
      session.#library.ssl.SSL_set_connect_state(session.#pointer);
      expectServer(context, session.#pointer, serverName, verifyName);
      return session;
    } catch (error) {
      session.free();
      throw error;
    }
  }

  /**
   * Goes on with the handshake.
   *
   * @returns whether it is done, or what it waits for.
   * @throws {TlsError} if it failed, or if the peer did not prove what it has to.
   */
  handshake(): "done" | "want-read" | "want-write" {
    if (this.#isDone) return "done";
    const { ssl, crypto } = this.#live();
    crypto.ERR_clear_error();
    const result = ssl.SSL_do_handshake(this.#pointer);
    if (result !== 1) {
      const wants = this.#wants(result);
      if (wants === 0) throw this.#fail(endOfFile(true));
      return wants === WANT_READ ? "want-read" : "want-write";
    }
    try {
      if (!this.#isServer) demandPlainCertificate(this.#library, this.#pointer);
    } catch (error) {
      throw error instanceof TlsError ? this.#fail(error) : error;
    }
    if (this.alpn === undefined) {
      throw this.#fail(new TlsError(`it speaks TLS, but not ${this.#context.alpn}`, "alpn"));
    }
    this.#isDone = true;
    return "done";
  }

  /**
   * Reads what is there, up to the length of `into`.
   *
   * @returns how many bytes; 0 at the end that the peer has said; {@linkcode WANT_READ} or {@linkcode WANT_WRITE}.
   * @throws {TlsError} of kind `truncated` where the connection has ended without that; any other.
   */
  read(into: Uint8Array): number {
    const { ssl, crypto } = this.#live();
    crypto.ERR_clear_error();
    let count = ssl.SSL_read(this.#pointer, into as Uint8Array<ArrayBuffer>, into.length);
    if (count <= 0) return this.#wants(count);
    while (count < into.length && ssl.SSL_has_pending(this.#pointer) === 1) {
      const more = ssl.SSL_read(this.#pointer, into.subarray(count) as Uint8Array<ArrayBuffer>, into.length - count);
      if (more <= 0) {
        break; // the next read says why
      }
      count += more;
    }
    return count;
  }

  /**
   * Writes as much as the socket takes.
   *
   * @returns how many bytes it has taken; {@linkcode WANT_WRITE} or {@linkcode WANT_READ} for none. The rest has to be
   * offered again, the same bytes, with others behind them if there are.
   * @throws {TlsError} if the connection has failed.
   */
  write(bytes: Uint8Array): number {
    const { ssl, crypto } = this.#live();
    crypto.ERR_clear_error();
    let count = ssl.SSL_write(this.#pointer, bytes as Uint8Array<ArrayBuffer>, Math.min(bytes.length, MAX_RECORD));
    if (count <= 0) return this.#wants(count);
    while (count < bytes.length) {
      const rest = bytes.subarray(count) as Uint8Array<ArrayBuffer>;
      const more = ssl.SSL_write(this.#pointer, rest, Math.min(rest.length, MAX_RECORD));
      if (more <= 0) {
        break;
      }
      count += more;
    }
    return count;
  }

  /** Tells the peer that nothing more is written here. It can be read from as before. */
  closeWrite(): "done" | "want-write" {
    if (!this.#isDone) return "done";
    const { ssl, crypto } = this.#live();
    crypto.ERR_clear_error();
    const result = ssl.SSL_shutdown(this.#pointer);
    if (result >= 0) return "done";
    return this.#wants(result) === WANT_WRITE ? "want-write" : "done";
  }

  /** Whether something that was received has not been read yet; it may be a part of a record. */
  get hasPending(): boolean {
    return this.#pointer !== null && this.#library.ssl.SSL_has_pending(this.#pointer) === 1;
  }

  /** Whether the peer has sent anything. */
  get hasReceived(): boolean {
    const { ssl, crypto } = this.#library;
    return this.#pointer !== null && crypto.BIO_number_read(ssl.SSL_get_rbio(this.#pointer)) > 0n;
  }

  /** The protocol that was agreed on (ALPN), if one was. */
  get alpn(): string | undefined {
    if (this.#pointer === null) return undefined;
    const [data, size] = [new BigUint64Array(1), new Uint32Array(1)];
    this.#library.ssl.SSL_get0_alpn_selected(this.#pointer, data, size);
    const at = Deno.UnsafePointer.create(data[0]!);
    if (at === null || size[0] === 0) return undefined;
    return new TextDecoder().decode(Deno.UnsafePointerView.getArrayBuffer(at, size[0]!));
  }

  /** `TLSv1.3`. */
  get version(): string {
    return this.#pointer === null ? "" : textAt(this.#library.ssl.SSL_get_version(this.#pointer));
  }

  /** The cipher suite by its name in TLS. */
  get cipher(): string {
    if (this.#pointer === null) return "";
    const { ssl } = this.#library;
    return textAt(ssl.SSL_CIPHER_get_name(ssl.SSL_get_current_cipher(this.#pointer)));
  }

  /** The peer's own certificate, as DER. */
  peerCertificate(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#pointer === null) return undefined;
    const { ssl, crypto } = this.#library;
    const certificate = ssl.SSL_get1_peer_certificate(this.#pointer);
    if (certificate === null) return undefined;
    try {
      const bytes = new Uint8Array(new ArrayBuffer(Math.max(0, crypto.i2d_X509(certificate, null))));
      const at = BigUint64Array.of(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
      crypto.i2d_X509(certificate, at);
      return bytes;
    } finally {
      crypto.X509_free(certificate);
    }
  }

  /** Bytes that both ends of this session can derive and nobody else (RFC 8446 §7.5), without a context. */
  exporter(label: string, length: number): Uint8Array<ArrayBuffer> {
    const { ssl } = this.#live();
    const [out, name] = [new Uint8Array(length), new TextEncoder().encode(label)];
    const size = BigInt(name.length);
    if (ssl.SSL_export_keying_material(this.#pointer, out, BigInt(length), name, size, null, 0n, 0) === 1) return out;
    takeErrors(this.#library);
    throw new Error("nothing can be derived from a session before its handshake is done");
  }

  /** Has both directions get new keys with what is written next (RFC 8446 §4.6.3). */
  updateKeys(): void {
    this.#live().ssl.SSL_key_update(this.#pointer, 1);
  }

  /** Lets go of it, without a word to the peer. Idempotent. */
  free(): void {
    if (this.#pointer !== null) this.#library.ssl.SSL_free(this.#pointer);
    this.#pointer = null;
  }

  #live(): OpenSsl {
    if (this.#failure) throw this.#failure;
    if (this.#pointer === null) throw new Error("the TLS session was freed");
    return this.#library;
  }

  /** What the last call waits for, or 0 at the peer's orderly end. @throws {TlsError} */
  #wants(result: number): number {
    const { ssl, errno } = this.#library;
    const number = errno.getInt32(); // before another call changes it
    switch (ssl.SSL_get_error(this.#pointer, result)) {
      case ERROR_WANT_READ:
        return WANT_READ;
      case ERROR_WANT_WRITE:
        return WANT_WRITE;
      case ERROR_ZERO_RETURN:
        return 0;
      case ERROR_SYSCALL:
        takeErrors(this.#library);
        throw this.#fail(number === 0 ? endOfFile(!this.#isDone) : socketError(number));
      default: {
        const errors = takeErrors(this.#library);
        const failure = explainErrors(errors, !this.#isDone);
        const proof = failure.kind === "certificate" ? explainVerification(this.#library, this.#pointer) : undefined;
        throw this.#fail(proof ?? failure);
      }
    }
  }

  #fail(error: TlsError): TlsError {
    return this.#failure = error;
  }
}

/** The label of RFC 9266, whose 32 bytes name a TLS connection. */
export const CHANNEL_BINDING_LABEL = "EXPORTER-Channel-Binding";
