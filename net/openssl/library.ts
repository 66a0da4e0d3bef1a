/**
 * OpenSSL 3 by FFI, where it is to be had: on Linux, with the permission `ffi`. Nothing here is told about sockets.
 *
 * It is loaded once in each thread that asks, at its first call, and stays for as long as the process lives.
 *
 * @module
 */

/** A send on a connection that has failed is an error, and no signal (Linux). */
export const MSG_NOSIGNAL = 0x4000;

const SSL = {
  OPENSSL_init_ssl: { parameters: ["u64", "pointer"], result: "i32" },
  TLS_method: { parameters: [], result: "pointer" },
  SSL_CTX_new: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_free: { parameters: ["pointer"], result: "void" },
  SSL_CTX_ctrl: { parameters: ["pointer", "i32", "i64", "pointer"], result: "i64" },
  SSL_CTX_set_options: { parameters: ["pointer", "u64"], result: "u64" },
  SSL_CTX_set_ciphersuites: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_CTX_set_num_tickets: { parameters: ["pointer", "usize"], result: "i32" },
  SSL_CTX_set_verify: { parameters: ["pointer", "i32", "pointer"], result: "void" },
  SSL_CTX_set_alpn_protos: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  SSL_CTX_set_alpn_select_cb: { parameters: ["pointer", "function", "pointer"], result: "void" },
  SSL_select_next_proto: { parameters: ["pointer", "pointer", "pointer", "u32", "pointer", "u32"], result: "i32" },
  SSL_CTX_use_certificate: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_use_PrivateKey: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_set_default_read_buffer_len: { parameters: ["pointer", "usize"], result: "void" },
  SSL_CTX_get_cert_store: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_set_default_verify_paths: { parameters: ["pointer"], result: "i32" },
  SSL_CTX_load_verify_file: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_CTX_get0_param: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_dane_enable: { parameters: ["pointer"], result: "i32" },
  SSL_CTX_dane_set_flags: { parameters: ["pointer", "u64"], result: "u64" },
  SSL_new: { parameters: ["pointer"], result: "pointer" },
  SSL_free: { parameters: ["pointer"], result: "void" },
  SSL_ctrl: { parameters: ["pointer", "i32", "i64", "buffer"], result: "i64" },
  SSL_set_fd: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_get_rbio: { parameters: ["pointer"], result: "pointer" },
  SSL_set0_wbio: { parameters: ["pointer", "pointer"], result: "void" },
  SSL_set_accept_state: { parameters: ["pointer"], result: "void" },
  SSL_set_connect_state: { parameters: ["pointer"], result: "void" },
  SSL_get0_param: { parameters: ["pointer"], result: "pointer" },
  SSL_dane_enable: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_dane_tlsa_add: { parameters: ["pointer", "u8", "u8", "u8", "buffer", "usize"], result: "i32" },
  SSL_do_handshake: { parameters: ["pointer"], result: "i32" },
  SSL_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_shutdown: { parameters: ["pointer"], result: "i32" },
  SSL_has_pending: { parameters: ["pointer"], result: "i32" },
  SSL_get_error: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_get_verify_result: { parameters: ["pointer"], result: "i64" },
  SSL_get0_alpn_selected: { parameters: ["pointer", "buffer", "buffer"], result: "void" },
  SSL_get_version: { parameters: ["pointer"], result: "pointer" },
  SSL_get_session: { parameters: ["pointer"], result: "pointer" },
  SSL_SESSION_get_max_fragment_length: { parameters: ["pointer"], result: "u8" },
  SSL_get_current_cipher: { parameters: ["pointer"], result: "pointer" },
  SSL_CIPHER_get_name: { parameters: ["pointer"], result: "pointer" },
  SSL_get1_peer_certificate: { parameters: ["pointer"], result: "pointer" },
  SSL_key_update: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_export_keying_material: {
    parameters: ["pointer", "buffer", "usize", "buffer", "usize", "pointer", "usize", "i32"],
    result: "i32",
  },
} as const;

const CRYPTO = {
  OPENSSL_init_crypto: { parameters: ["u64", "pointer"], result: "i32" },
  OpenSSL_version_num: { parameters: [], result: "u64" },
  ERR_clear_error: { parameters: [], result: "void" },
  ERR_get_error: { parameters: [], result: "u64" },
  ERR_reason_error_string: { parameters: ["u64"], result: "pointer" },
  BIO_new_mem_buf: { parameters: ["buffer", "i32"], result: "pointer" },
  BIO_free: { parameters: ["pointer"], result: "i32" },
  BIO_up_ref: { parameters: ["pointer"], result: "i32" },
  BIO_number_read: { parameters: ["pointer"], result: "u32" }, // the lower half is enough
  BIO_new_bio_pair: { parameters: ["buffer", "usize", "buffer", "usize"], result: "i32" },
  BIO_ctrl_pending: { parameters: ["pointer"], result: "u32" },
  BIO_nwrite0: { parameters: ["pointer", "buffer"], result: "i32" },
  BIO_nread0: { parameters: ["pointer", "buffer"], result: "i32" },
  BIO_nread: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  X509_get_default_cert_dir: { parameters: [], result: "pointer" },
  PEM_read_bio_X509: { parameters: ["pointer", "pointer", "pointer", "buffer"], result: "pointer" },
  PEM_read_bio_PrivateKey: { parameters: ["pointer", "pointer", "pointer", "buffer"], result: "pointer" },
  X509_free: { parameters: ["pointer"], result: "void" },
  X509_check_ca: { parameters: ["pointer"], result: "i32" },
  X509_get0_notBefore: { parameters: ["pointer"], result: "pointer" },
  X509_get0_notAfter: { parameters: ["pointer"], result: "pointer" },
  X509_cmp_current_time: { parameters: ["pointer"], result: "i32" },
  X509_verify_cert_error_string: { parameters: ["i64"], result: "pointer" },
  i2d_X509: { parameters: ["pointer", "buffer"], result: "i32" },
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  X509_STORE_add_cert: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_VERIFY_PARAM_set1_host: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  X509_VERIFY_PARAM_set1_ip_asc: { parameters: ["pointer", "buffer"], result: "i32" },
  X509_VERIFY_PARAM_set_hostflags: { parameters: ["pointer", "u32"], result: "void" },
  X509_VERIFY_PARAM_set_flags: { parameters: ["pointer", "u64"], result: "i32" },
} as const;

const LIBC = {
  __errno_location: { parameters: [], result: "pointer" },
  secure_getenv: { parameters: ["buffer"], result: "pointer" },
  send: { parameters: ["i32", "pointer", "i32", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
} as const;

/** The calls of both libraries, and the callbacks that they are given. */
export interface OpenSsl {
  readonly ssl: Deno.DynamicLibrary<typeof SSL>["symbols"];
  readonly crypto: Deno.DynamicLibrary<typeof CRYPTO>["symbols"];
  readonly libc: Deno.DynamicLibrary<typeof LIBC>["symbols"];
  /** Chooses the protocol (ALPN) that the argument names, as one byte of length and the name, or ends the handshake. */
  readonly selectAlpn: Deno.PointerValue;
  /** Where this thread's `errno` is. */
  readonly errno: Deno.UnsafePointerView;
}

const SSL_LIBRARY = "libssl.so.3";
const CRYPTO_LIBRARY = "libcrypto.so.3";
const C_LIBRARY = "libc.so.6";

/** The oldest version that will do, as `OpenSSL_version_num` says it. */
const OLDEST = 0x3000_0000n;

/** Without it, the end of the process would take the library away from a thread that is still using it. */
const INIT_NO_ATEXIT = 0x80000n;

/** What an ALPN callback may answer. */
const ALPN_OK = 0;
const ALPN_FATAL = 2;
const NEGOTIATED = 1;

type Loaded = { readonly library: OpenSsl } | { readonly whyNot: string };

let loaded: Loaded | undefined;

/** OpenSSL, or `undefined` where it cannot be had; {@linkcode whyNoOpenSsl} says why. Never asks the user. */
export function openSsl(): OpenSsl | undefined {
  loaded ??= load();
  return "library" in loaded ? loaded.library : undefined;
}

/** Why there is no OpenSSL here, in a line; `undefined` if there is. */
export function whyNoOpenSsl(): string | undefined {
  loaded ??= load();
  return "whyNot" in loaded ? loaded.whyNot : undefined;
}

function load(): Loaded {
  if (Deno.build.os !== "linux") return { whyNot: "OpenSSL is used on Linux alone" };
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return { whyNot: "to use OpenSSL takes the permission ffi (--allow-ffi)" };
  }
  try {
    const { symbols: crypto } = Deno.dlopen(CRYPTO_LIBRARY, CRYPTO);
    const version = crypto.OpenSSL_version_num();
    if (version < OLDEST) return { whyNot: `${CRYPTO_LIBRARY} is older than OpenSSL 3.0` };
    const { symbols: ssl } = Deno.dlopen(SSL_LIBRARY, SSL);
    if (crypto.OPENSSL_init_crypto(INIT_NO_ATEXIT, null) !== 1 || ssl.OPENSSL_init_ssl(INIT_NO_ATEXIT, null) !== 1) {
      return { whyNot: `${SSL_LIBRARY} does not start; is its configuration file whole?` };
    }
    const { symbols: libc } = Deno.dlopen(C_LIBRARY, LIBC);
    const errno = libc.__errno_location();
    if (errno === null) return { whyNot: `${C_LIBRARY} has no errno` };
    const view = new Deno.UnsafePointerView(errno);
    return { library: { ssl, crypto, libc, selectAlpn: alpnSelector(ssl), errno: view } };
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
    return { whyNot: `OpenSSL 3 (${SSL_LIBRARY}) cannot be loaded: ${why}` };
  }
}

/** One for all contexts of a thread, and for as long as it lives: nobody has to know when the last one has gone. */
function alpnSelector(ssl: OpenSsl["ssl"]): Deno.PointerValue {
  return new Deno.UnsafeCallback(
    { parameters: ["pointer", "pointer", "pointer", "pointer", "u32", "pointer"], result: "i32" },
    (_ssl, out, outLength, offered, size, own) => {
      if (own === null) return ALPN_FATAL;
      const ownSize = 1 + new Deno.UnsafePointerView(own).getUint8();
      return ssl.SSL_select_next_proto(out, outLength, own, ownSize, offered, size) === NEGOTIATED
        ? ALPN_OK
        : ALPN_FATAL;
    },
  ).pointer;
}

/** A text as C takes it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError("a text for OpenSSL has no NUL");
  return new TextEncoder().encode(`${text}\0`);
}

/** A text of C; empty where there is none. */
export function textAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}
