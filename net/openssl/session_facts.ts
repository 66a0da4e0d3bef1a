/**
 * What an `SSL` knows of its session, once the handshake is done.
 *
 * @module
 */

import { takeErrors } from "./errors.ts";
import { type OpenSsl, textAt } from "./library.ts";

type Pointer = Deno.PointerValue;

/** The protocol that was agreed on (ALPN), if one was. */
export function protocolOf({ ssl }: OpenSsl, session: Pointer): string | undefined {
  const [data, size] = [new BigUint64Array(1), new Uint32Array(1)];
  ssl.SSL_get0_alpn_selected(session, data, size);
  const at = Deno.UnsafePointer.create(data[0]!);
  if (at === null || size[0] === 0) return undefined;
  return new TextDecoder().decode(Deno.UnsafePointerView.getArrayBuffer(at, size[0]!));
}

/** The version, such as `TLSv1.3`. */
export function versionOf({ ssl }: OpenSsl, session: Pointer): string {
  return textAt(ssl.SSL_get_version(session));
}

/** The cipher suite by its name in TLS. */
export function cipherOf({ ssl }: OpenSsl, session: Pointer): string {
  return textAt(ssl.SSL_CIPHER_get_name(ssl.SSL_get_current_cipher(session)));
}

/** The peer's own certificate, as DER, if it showed one. */
export function certificateOf({ ssl, crypto }: OpenSsl, session: Pointer): Uint8Array<ArrayBuffer> | undefined {
  const certificate = ssl.SSL_get1_peer_certificate(session);
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

/** `length` bytes that both ends can derive and nobody else (RFC 8446 §7.5). @throws {Error} before the handshake is done. */
export function exported(library: OpenSsl, session: Pointer, label: string, length: number): Uint8Array<ArrayBuffer> {
  const [out, name] = [new Uint8Array(length), new TextEncoder().encode(label)];
  const done = library.ssl.SSL_export_keying_material(
    session,
    out,
    BigInt(length),
    name,
    BigInt(name.length),
    null,
    0n,
    0,
  );
  if (done === 1) return out;
  takeErrors(library);
  throw new Error("nothing can be derived from a session before its handshake is done");
}

/** Bytes of a full record that the peer takes: fewer than usual if it asked for that (RFC 6066 §4). */
export function recordSizeOf({ ssl }: OpenSsl, session: Pointer, usual: number): number {
  const code = ssl.SSL_SESSION_get_max_fragment_length(ssl.SSL_get_session(session));
  return code === 0 ? usual : 256 << code;
}
