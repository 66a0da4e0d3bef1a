/**
 * One TLS connection on a socket that does not block.
 *
 * @module
 */

import { endOfFile, TlsError } from "./errors.ts";
import type { TlsContext } from "./context.ts";
import { SslHandle, WANT_READ, WANT_WRITE } from "./handle.ts";
import { hasOpened } from "./opening.ts";
import { demandPlainCertificate, expectServer } from "./proof.ts";
import { READ_AHEAD } from "./record_size.ts";
import { RecordWriter } from "./record_writer.ts";
import { certificateOf, cipherOf, exported, protocolOf, versionOf } from "./session_facts.ts";

export { WANT_READ, WANT_WRITE } from "./handle.ts";

/** The label of RFC 9266, whose 32 bytes name a TLS connection. */
export const CHANNEL_BINDING_LABEL = "EXPORTER-Channel-Binding";

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
  readonly #handle: SslHandle;
  readonly #context: TlsContext;
  readonly #isServer: boolean;
  readonly #writer: RecordWriter;
  #hasGreeted = false;
  #hasReceived = false;
  #isDrained = false;
  /** OpenSSL may hold the beginning of a record, of which a header alone does not count as pending. */
  #hasPart = false;

  private constructor(context: TlsContext, fd: number, isServer: boolean) {
    this.#context = context;
    this.#isServer = isServer;
    this.#handle = new SslHandle(context.library, context.pointer, fd);
    this.#writer = new RecordWriter(this.#handle, context.recordsPerKey);
  }

  /** For a connection that was accepted. */
  static accept(context: TlsContext, fd: number): TlsSession {
    const session = new TlsSession(context, fd, true);
    context.library.ssl.SSL_set_accept_state(session.#handle.pointer);
    return session;
  }

  /** For a connection that was dialled. @throws {Error} if the names are none. */
  static connect(context: TlsContext, fd: number, { serverName, verifyName }: ServerNames): TlsSession {
    const session = new TlsSession(context, fd, false);
    try {
      context.library.ssl.SSL_set_connect_state(session.#handle.pointer);
      expectServer(context, session.#handle.pointer, serverName, verifyName);
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
    const handle = this.#handle;
    const { library, pointer, fd } = handle;
    if (handle.isOpen) return "done";
    this.#hasReceived ||= handle.checked(() => hasOpened(library, fd, this.#isServer));
    if (!this.#hasReceived && (this.#isServer || this.#hasGreeted)) return "want-read";
    library.crypto.ERR_clear_error();
    const result = library.ssl.SSL_do_handshake(pointer);
    if (result !== 1) {
      const wants = handle.wants(result);
      if (wants === 0) throw handle.fail(endOfFile(true));
      if (wants === WANT_WRITE) return "want-write";
      this.#hasGreeted = true;
      return "want-read";
    }
    handle.checked(() => {
      if (!this.#isServer) demandPlainCertificate(library, pointer);
      const { alpn } = this.#context;
      if (this.alpn === undefined) throw new TlsError(`the peer speaks TLS, but not ${alpn}`, "alpn");
    });
    handle.isOpen = true;
    return "done";
  }

  /** Whether the peer has sent anything, as far as the handshake has seen it. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /**
   * Reads what is there, up to the length of `into`, which is not 0.
   *
   * @returns how many bytes; 0 at the end that the peer has said; {@linkcode WANT_READ} or {@linkcode WANT_WRITE}.
   * @throws {TlsError} of kind `truncated` where the connection has ended without that; any other.
   */
  read(into: Uint8Array): number {
    const { library: { ssl, crypto }, pointer, socket } = this.#handle;
    const buffer = into as Uint8Array<ArrayBuffer>;
    const hadNone = ssl.SSL_has_pending(pointer) === 0;
    const wasEmpty = hadNone && !this.#hasPart;
    const before = crypto.BIO_number_read(socket);
    crypto.ERR_clear_error();
    let count = ssl.SSL_read(pointer, buffer, into.length);
    if (count <= 0) {
      const wants = this.#wantsOfRead(count);
      if (!hadNone || crypto.BIO_number_read(socket) !== before) this.#hasPart = true;
      return wants;
    }
    this.#hasPart = false;
    while (count < into.length && ssl.SSL_has_pending(pointer) === 1) {
      const more = ssl.SSL_read(pointer, buffer.subarray(count), into.length - count);
      if (more <= 0) {
        this.#hasPart = true;
        break; // the next read says why
      }
      count += more;
    }
    const fresh = crypto.BIO_number_read(socket) - before >>> 0;
    // With nothing left over, the first receive asks for all that it has room for, and one that brought less left nothing:
    // what came since is told. With a part of a record (of which OpenSSL calls a header alone nothing), it asks for the
    // rest of that alone; and without a receive, the change of the socket for which this read is made may have been meant
    // for one.
    this.#isDrained = wasEmpty && fresh > 0 && fresh < READ_AHEAD / 2;
    return count;
  }

  #wantsOfRead(result: number): number {
    const wants = this.#handle.wants(result);
    this.#isDrained = wants === WANT_READ;
    if (wants === WANT_WRITE) this.#writer.flush(); // it answers a change of keys, and what waits is in its way
    return wants;
  }

  /**
   * Whether the socket had nothing more at the last {@linkcode read}, so that the next one has to wait for it: there is no
   * need to ask. The peer's end may be there all the same; whoever waits for a change of the socket is told of that.
   */
  get isDrained(): boolean {
    return this.#isDrained && !this.hasPending;
  }

  /**
   * Writes as much as the socket takes.
   *
   * @returns how many bytes it has taken; {@linkcode WANT_WRITE} or {@linkcode WANT_READ} for none. The rest has to be
   * offered again, the same bytes, with others behind them if there are.
   * @throws {TlsError} if the connection has failed.
   */
  write(bytes: Uint8Array): number {
    return this.#writer.write(bytes as Uint8Array<ArrayBuffer>);
  }

  /**
   * Tells the peer that nothing more is written here. It can be read from as before. What was offered to {@linkcode write}
   * has to be taken first.
   */
  closeWrite(): "done" | "want-write" {
    const { library: { ssl, crypto }, pointer, isOpen } = this.#handle;
    if (!isOpen) return "done";
    if (!this.#writer.flush()) return "want-write";
    crypto.ERR_clear_error();
    const result = ssl.SSL_shutdown(pointer);
    return result < 0 && this.#handle.wants(result) === WANT_WRITE ? "want-write" : "done";
  }

  /** Whether something that was received has not been read yet; it may be a part of a record. */
  get hasPending(): boolean {
    const { library: { ssl }, anyPointer } = this.#handle;
    return anyPointer !== null && ssl.SSL_has_pending(anyPointer) === 1;
  }

  /** The protocol that was agreed on (ALPN), if one was. */
  get alpn(): string | undefined {
    return protocolOf(this.#handle.library, this.#handle.pointer);
  }

  /** `TLSv1.3`. */
  get version(): string {
    return versionOf(this.#handle.library, this.#handle.pointer);
  }

  /** The cipher suite by its name in TLS. */
  get cipher(): string {
    return cipherOf(this.#handle.library, this.#handle.pointer);
  }

  /** The peer's own certificate, as DER, if it showed one. */
  peerCertificate(): Uint8Array<ArrayBuffer> | undefined {
    return certificateOf(this.#handle.library, this.#handle.pointer);
  }

  /** Bytes that both ends of this session can derive and nobody else (RFC 8446 §7.5), without a context. */
  exporter(label: string, length: number): Uint8Array<ArrayBuffer> {
    return exported(this.#handle.library, this.#handle.pointer, label, length);
  }

  /** Lets go of it, without a word to the peer. Idempotent. */
  free(): void {
    this.#handle.free();
    this.#writer.free();
  }
}
