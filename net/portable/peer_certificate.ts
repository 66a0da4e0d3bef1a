/**
 * Which certificate the peer of a TLS connection proved, and which CAs the runtime takes besides those that a connection
 * names.
 *
 * `caCerts` adds to a store that the whole process has: Mozilla's CAs, or what `DENO_TLS_CA_STORE` says, and what
 * `DENO_CERT` names. So a pin alone keeps nobody out who has a certificate by one of those. Two things do: to look at the
 * certificate that was proved, where the runtime shows it; and to empty that store before it is filled, which is once in
 * the life of a process, at its first use of TLS. That may have been before the program began: to fetch its modules.
 *
 * @module
 */

/** Variables from which the runtime fills its store of CAs. */
const EXTRA_FILE = "DENO_CERT";
/** See {@linkcode EXTRA_FILE}. */
const STORES = "DENO_TLS_CA_STORE";

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

/** A file of CAs that is nowhere: a store that is still to be filled cannot be filled from it. */
const NOWHERE = "/dev/null/no-such-file";

let isEmpty = false;

/**
 * Has this process take no CA but those that a connection names. It is for a program that has no other TLS.
 *
 * @returns whether that was permitted, and the store had not been filled before, be it by the runtime's flag `--cert`.
 */
export function forgetRoots(): boolean {
  if (isEmpty || !isPermitted(EXTRA_FILE) || !isPermitted(STORES)) return isEmpty;
  Deno.env.set(STORES, ""); // not set at all means Mozilla's
  const wasFilled = isFilled();
  Deno.env.delete(EXTRA_FILE);
  return isEmpty = canFill() && !wasFilled; // by nothing now, for as long as the process lives
}

/**
 * Whether the store has been filled, which fails if it is done now. A binary is not asked: it fetches no modules before it
 * begins, and there one failure would stay for good.
 */
function isFilled(): boolean {
  if (Deno.build.standalone) return false;
  Deno.env.set(EXTRA_FILE, NOWHERE);
  return canFill();
}

/** Whether this process takes no CA but those that a connection names: that is proved, not read from the environment. */
export function hasNoRoots(): boolean {
  if (isEmpty || !isPermitted(EXTRA_FILE) || !isPermitted(STORES)) return isEmpty;
  const namesNone = Deno.env.get(EXTRA_FILE) === undefined && /^[\s,]*$/.test(Deno.env.get(STORES) ?? "mozilla");
  return namesNone && forgetRoots();
}

/** Has the runtime fill its store of CAs, if it has not. @returns false if it could not. */
function canFill(): boolean {
  try {
    Deno.createHttpClient({}).close();
    return true;
  } catch {
    return false;
  }
}

/** Never asks the user. */
function isPermitted(variable: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}
