/**
 * Keys, certificates and connections for tests of TLS. No tests here.
 *
 * @module
 */

import { der, pem } from "./certificate.ts";
import { ALPN } from "./listening.ts";

export async function newKey(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
}

/** The 32 bytes of its public key. */
export async function rawKey(keyPair: CryptoKeyPair): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", keyPair.publicKey));
}

/** The private key as PEM. */
export async function keyPem(keyPair: CryptoKeyPair): Promise<string> {
  return pem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", keyPair.privateKey)));
}

/** What a certificate says. */
export interface CertificateFields {
  readonly subject: string;
  /** Names and IPv4 addresses that it is for. */
  readonly names?: string[];
  readonly isAuthority?: boolean;
  /** `YYMMDDhhmmssZ` */
  readonly notBefore?: string;
  readonly notAfter?: string;
}

/** A certificate for `keyPair`, signed by `issuer`, as PEM. */
export async function issue(
  fields: CertificateFields,
  keyPair: CryptoKeyPair,
  issuer: { readonly name: string; readonly keyPair: CryptoKeyPair },
): Promise<string> {
  const text = (value: string) => new TextEncoder().encode(value);
  const name = (value: string) => der(0x30, der(0x31, der(0x30, der(6, [0x55, 4, 3]), der(0x0c, text(value)))));
  const altName = (value: string) =>
    /^[\d.]+$/.test(value) ? der(0x87, value.split(".").map(Number)) : der(0x82, text(value));
  const extensions = [
    der(0x30, der(6, [0x55, 0x1d, 19]), der(4, der(0x30, ...(fields.isAuthority ? [der(1, [255])] : [])))),
    ...(fields.names ? [der(0x30, der(6, [0x55, 0x1d, 17]), der(4, der(0x30, ...fields.names.map(altName))))] : []),
  ];
  const algorithm = der(0x30, der(6, [0x2b, 0x65, 0x70]));
  const body = der(
    0x30,
    der(0xa0, der(2, [2])),
    der(2, [7]),
    algorithm,
    name(issuer.name),
    der(
      0x30,
      der(0x17, text(fields.notBefore ?? "240101000000Z")),
      der(0x17, text(fields.notAfter ?? "490101000000Z")),
    ),
    name(fields.subject),
    der(0x30, algorithm, der(3, [0], await rawKey(keyPair))),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", issuer.keyPair.privateKey, body));
  return pem("CERTIFICATE", der(0x30, body, algorithm, der(3, [0], signature)));
}

/** A CA of one's own, and what it certifies. */
export class TestAuthority {
  private constructor(readonly cert: string, readonly keyPair: CryptoKeyPair, readonly name: string) {}

  static async make(name = "Test CA"): Promise<TestAuthority> {
    const keyPair = await newKey();
    return new TestAuthority(
      await issue({ subject: name, isAuthority: true }, keyPair, { name, keyPair }),
      keyPair,
      name,
    );
  }

  /** Another CA, certified by this one. */
  async authorize(name: string): Promise<TestAuthority> {
    const keyPair = await newKey();
    return new TestAuthority(await issue({ subject: name, isAuthority: true }, keyPair, this), keyPair, name);
  }

  /** A certificate for these names, and its key. */
  async certify(names: string[], fields: Partial<CertificateFields> = {}): Promise<{ cert: string; key: string }> {
    const keyPair = await newKey();
    return { cert: await issue({ subject: "leaf", names, ...fields }, keyPair, this), key: await keyPem(keyPair) };
  }
}

/** A listener on a free port of this machine that speaks the profile's ALPN, or others. */
export function listenTls(pair: { cert: string; key: string }, alpnProtocols: string[] = [ALPN]): Deno.TlsListener {
  return Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    ...pair,
    ...(alpnProtocols.length > 0 && { alpnProtocols }),
  });
}

/** The port of a listener. */
export function portOf(listener: Deno.Listener): number {
  return (listener.addr as Deno.NetAddr).port;
}

/** A TCP connection to a listener, with both its ends. */
export async function connected<C extends Deno.Conn>(
  listener: Deno.Listener<C>,
): Promise<{ client: Deno.TcpConn; server: C }> {
  const accepted = listener.accept();
  const client = await Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
  return { client, server: await accepted };
}

/** Reads until the end or an error of the peer: it has let go. */
export async function untilGone(conn: Deno.Conn): Promise<void> {
  try {
    while (await conn.read(new Uint8Array(4096)) !== null);
  } catch {
    // A reset is an end as well.
  }
}

/** Waits for the end of a `Deno.startTls` connection whose handshake may fail. @returns ALPN, or the error's text. */
export async function shake(
  client: Deno.TcpConn,
  options: Deno.StartTlsOptions,
): Promise<{ tls: Deno.TlsConn; result: string | null }> {
  const tls = await Deno.startTls(client, options);
  const result = await tls.handshake().then(({ alpnProtocol }) => alpnProtocol, (error) => `error: ${error.message}`);
  return { tls, result };
}
