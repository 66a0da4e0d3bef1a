/**
 * What many TLS sessions have in common: the certificate of a server, or whom a client trusts.
 *
 * @module
 */

import { cString, type OpenSsl, openSsl, whyNoOpenSsl } from "./library.ts";
import { TLS_KEY_RECORDS } from "./limits.ts";
import { READ_AHEAD } from "./record_size.ts";
import { trustAuthorities, trustSystem, useCertificate } from "./certificates.ts";

/** Whom a client takes for its server: who has one of these keys, or whom a CA vouches for. */
export type Trust =
  | {
    readonly kind: "pinned";
    /** Ed25519 public keys of 32 bytes. */
    readonly keys: readonly Uint8Array[];
  }
  | {
    readonly kind: "ca";
    /** These CAs and no others, as PEM. */
    readonly pem: string;
  }
  | { readonly kind: "system" };

/** The only ciphers, the first one preferred by both sides (RFC 8446 §9.1). */
const CIPHERS = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/** Numbers of `openssl/ssl.h`. */
const TLS1_3 = 0x0304n;
const CTRL_MODE = 33;
const CTRL_READ_AHEAD = 41;
const CTRL_SESSION_CACHE = 44;
const CTRL_MIN_VERSION = 123;
const CTRL_MAX_VERSION = 124;
const MODE_MOVING_BUFFER = 2n;
const MODE_RELEASE_BUFFERS = 16n;
const OP_NO_TICKET = 1n << 14n;
const OP_NO_COMPRESSION = 1n << 17n;
const OP_SERVER_PREFERENCE = 1n << 22n;
const OP_NO_RENEGOTIATION = 1n << 30n;
const VERIFY_NONE = 0;
const VERIFY_PEER = 1;
const NO_NAME_CHECKS = 1n;

/** How an Ed25519 public key begins as DER (RFC 8410 §4). */
const ED25519_INFO = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const KEY_SIZE = 32;

/** Protocols (ALPN) as the library is given them; it goes on pointing there. */
const protocols = new Map<string, Uint8Array<ArrayBuffer>>();

/** What sessions of both roles are told. */
export interface TlsOptions {
  /** The protocol (ALPN) that both sides have to agree on. */
  readonly alpn: string;
  /** Records that this side writes under one key. @default {TLS_KEY_RECORDS} */
  readonly recordsPerKey?: number;
}

/** A context of OpenSSL's, TLS 1.3 and nothing else. Its sessions outlive it. */
export class TlsContext {
  /** For sessions alone; `null` when it is closed. */
  pointer: Deno.PointerValue;
  readonly library: OpenSsl;
  readonly alpn: string;
  readonly recordsPerKey: number;
  readonly trust: Trust | undefined;
  /** The keys that are pinned, each as a DER `SubjectPublicKeyInfo`. */
  readonly pins: readonly Uint8Array<ArrayBuffer>[];

  private constructor({ alpn, recordsPerKey = TLS_KEY_RECORDS }: TlsOptions, trust?: Trust) {
    const library = openSsl();
    if (!library) throw new Error(whyNoOpenSsl());
    this.library = library;
    this.alpn = alpn;
    this.recordsPerKey = recordsPerKey;
    this.trust = trust;
    this.pins = trust?.kind === "pinned" ? trust.keys.map(keyInfo) : [];
    // OpenSSL would go by CAs then.
    if (trust?.kind === "pinned" && this.pins.length === 0) throw new RangeError("no key to pin");
    this.pointer = library.ssl.SSL_CTX_new(library.ssl.TLS_method());
    if (this.pointer === null) throw new Error("OpenSSL has no room for a context, or its configuration is damaged");
    this.#setUp(trust === undefined);
  }

  /**
   * For connections that are accepted.
   *
   * @throws {TlsSetupError} if certificate and key cannot be used.
   */
  static server(pair: { readonly cert: string; readonly key: string }, options: TlsOptions): TlsContext {
    const context = new TlsContext(options);
    try {
      useCertificate(context.library, context.pointer, pair);
      return context;
    } catch (error) {
      context.close();
      throw error;
    }
  }

  /**
   * For connections that are dialled.
   *
   * @throws {TlsSetupError} if the CAs cannot be used; {RangeError} without a key to pin, or for one that is none.
   */
  static client(options: TlsOptions & { readonly trust: Trust }): TlsContext {
    const { trust } = options;
    const context = new TlsContext(options, trust);
    const { library, pointer } = context;
    try {
      if (trust.kind === "ca") trustAuthorities(library, pointer, trust.pem);
      else if (trust.kind === "system") trustSystem(library, pointer);
      else {
        demand(library.ssl.SSL_CTX_dane_enable(pointer) === 1, "pinned keys");
        library.ssl.SSL_CTX_dane_set_flags(pointer, NO_NAME_CHECKS);
      }
      return context;
    } catch (error) {
      context.close();
      throw error;
    }
  }

  /** No more sessions can be made of it; those that are there go on. Idempotent. */
  close(): void {
    if (this.pointer !== null) this.library.ssl.SSL_CTX_free(this.pointer);
    this.pointer = null;
  }

  #setUp(isServer: boolean): void {
    const { ssl, selectAlpn } = this.library;
    const context = this.pointer;
    demand(ssl.SSL_CTX_ctrl(context, CTRL_MIN_VERSION, TLS1_3, null) === 1n, "TLS 1.3");
    demand(ssl.SSL_CTX_ctrl(context, CTRL_MAX_VERSION, TLS1_3, null) === 1n, "TLS 1.3");
    demand(ssl.SSL_CTX_set_ciphersuites(context, cString(CIPHERS)) === 1, "its ciphers");
    ssl.SSL_CTX_set_options(context, OP_NO_TICKET | OP_NO_COMPRESSION | OP_SERVER_PREFERENCE | OP_NO_RENEGOTIATION);
    ssl.SSL_CTX_set_num_tickets(context, 0n);
    ssl.SSL_CTX_ctrl(context, CTRL_SESSION_CACHE, 0n, null);
    ssl.SSL_CTX_ctrl(context, CTRL_MODE, MODE_MOVING_BUFFER | MODE_RELEASE_BUFFERS, null);
    ssl.SSL_CTX_ctrl(context, CTRL_READ_AHEAD, 1n, null);
    ssl.SSL_CTX_set_default_read_buffer_len(context, BigInt(READ_AHEAD));
    ssl.SSL_CTX_set_verify(context, isServer ? VERIFY_NONE : VERIFY_PEER, null);
    const protocol = protocolBytes(this.alpn);
    if (isServer) ssl.SSL_CTX_set_alpn_select_cb(context, selectAlpn, Deno.UnsafePointer.of(protocol));
    else demand(ssl.SSL_CTX_set_alpn_protos(context, protocol, protocol.length) === 0, "ALPN");
  }
}

/** One byte of length, and the name; made once for each name. */
function protocolBytes(name: string): Uint8Array<ArrayBuffer> {
  let bytes = protocols.get(name);
  if (!bytes) {
    const text = new TextEncoder().encode(name);
    if (text.length === 0 || text.length > 255) throw new RangeError("a protocol (ALPN) has 1 to 255 bytes");
    bytes = new Uint8Array(new ArrayBuffer(1 + text.length)); // a buffer of its own never moves
    bytes.set([text.length, ...text]);
    protocols.set(name, bytes);
  }
  return bytes;
}

function keyInfo(key: Uint8Array): Uint8Array<ArrayBuffer> {
  if (key.length === KEY_SIZE) return Uint8Array.from([...ED25519_INFO, ...key]);
  throw new RangeError(`Cannot pin a key of ${key.length} bytes: an Ed25519 public key has ${KEY_SIZE}`);
}

function demand(done: boolean, what: string): void {
  if (!done) throw new Error(`this OpenSSL, as it is configured, does not allow ${what}`);
}
