/**
 * Which certificate the peer of a TLS connection proved, and which CAs the runtime takes besides those that a connection
 * names.
 *
 * `caCerts` adds to a store that the whole process has: Mozilla's CAs, or what `DENO_TLS_CA_STORE` says, and what
 * `DENO_CERT` names. So a pin alone keeps nobody out who has a certificate by one of those. Two things do: to look at the
 * certificate that was proved, where the runtime shows it; and to empty that store before it is read, at the first TLS
 * connection.
 *
 * @module
 */

/** Variables from which the runtime fills its store of CAs. */
const EXTRA_FILE = "DENO_CERT";
/** See {@linkcode EXTRA_FILE}. */
const STORES = "DENO_TLS_CA_STORE";

/** What the runtime can be asked for here would not prove a server. */
export class UnprovableError extends Error {
  /** What it is told apart by where classes do not reach. */
  override readonly name = "UnprovableError";
}

type Show = (detailed: boolean) => { readonly raw?: unknown } | null;

/** What `node:tls` asks for a certificate; a public way for `Deno.TlsConn` is still missing. */
const door: unknown = Reflect.get(Object(Reflect.get(Deno, Reflect.get(Deno, "internal") ?? "")), "getPeerCertificate");

/** Whether this runtime shows the certificate of a peer: 2.9 does, 2.4 does not. */
export function showsPeers(): boolean {
  return typeof door === "symbol";
}

/** The peer's own certificate, as DER, once the handshake is done; `undefined` where the runtime does not show it. */
export function peerCertificate(conn: Deno.TlsConn): Uint8Array | undefined {
  if (typeof door !== "symbol") return undefined;
  const show: Show | undefined = Reflect.get(conn, door);
  const raw = show?.call(conn, false)?.raw;
  return raw instanceof Uint8Array ? raw : undefined;
}

/**
 * Has this process take no CA but those that a connection names. It is for a program that has no other TLS, and before its
 * first TLS connection. CAs of the runtime's own flag `--cert` stay.
 *
 * @returns whether that was permitted.
 */
export function forgetRoots(): boolean {
  if (!isPermitted(EXTRA_FILE) || !isPermitted(STORES)) return false;
  Deno.env.delete(EXTRA_FILE);
  Deno.env.set(STORES, ""); // not set at all means Mozilla's
  return true;
}

/** Whether the environment names no CA at all, as {@linkcode forgetRoots} leaves it. */
export function hasNoRoots(): boolean {
  if (!isPermitted(EXTRA_FILE) || !isPermitted(STORES)) return false;
  return Deno.env.get(EXTRA_FILE) === undefined && /^[\s,]*$/.test(Deno.env.get(STORES) ?? "mozilla");
}

/** Never asks the user. */
function isPermitted(variable: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}
