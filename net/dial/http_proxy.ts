/**
 * Dialling out through an HTTP proxy (CONNECT, RFC 9110 §9.3.6): which one, when, and the exchange with it.
 *
 * Credentials never stand in an error.
 *
 * @module
 */

import { MAX_PROXY_ANSWER, MAX_QUOTE, MAX_SCHEME, MAX_SCHEMES } from "../limits.ts";
import { isInNetwork, parseIP } from "../../protocol/ip.ts";
import { type Address, formatAddress, isHost, parseAddress, parsePort } from "../../protocol/address.ts";
import type { Duplex } from "../socket.ts";

/** What a proxy wants to know of whoever uses it (RFC 7617). */
export interface ProxyCredentials {
  /** Without a colon. */
  readonly user: string;
  /** Anything but control characters. */
  readonly password: string;
}

/** A proxy to dial through. */
export interface ProxyOptions {
  /** Where it listens. */
  readonly address: Address;
  /** Sent with the first request, if there are any. */
  readonly credentials?: ProxyCredentials;
}

/** A proxy did not do what it was asked for. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
}

/**
 * Parses `http://USER:PASSWORD@HOST:PORT`, or the same without `http://` or credentials. In these, `%40` stands for `@`.
 *
 * @throws {SyntaxError} with what was wrong; the credentials are not in it.
 */
export function parseProxy(text: string): ProxyOptions {
  const [, scheme = "http", rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  const at = rest.lastIndexOf("@");
  const authority = rest.slice(at + 1).replace(/\/$/, "");
  const shown = `${scheme.toLowerCase()}://${at < 0 ? "" : "…@"}${authority}`;
  if (scheme.toLowerCase() !== "http") {
    throw new SyntaxError(`"${shown}" is no HTTP proxy; a proxy that is itself reached over http:// would do`);
  }
  let address: Address;
  try {
    address = parseAddress(authority);
  } catch (error) {
    throw new SyntaxError(
      `"${shown}" is no proxy: ${error instanceof Error ? error.message : error}, as in http://proxy.example:3128`,
    );
  }
  if (address.port === 0) throw new SyntaxError(`"${shown}" is no proxy: its port is 0`);
  return at < 0 ? { address } : { address, credentials: parseCredentials(rest.slice(0, at), shown) };
}

/**
 * The proxy that the environment names for `server`: `https_proxy` or `HTTPS_PROXY`, unless `no_proxy` or `NO_PROXY`
 * lists the server. Lower case counts first, as with curl.
 *
 * @throws {SyntaxError} if the variable is set to something else than a proxy.
 */
export function proxyFor(server: Address, env: (name: string) => string | undefined): ProxyOptions | undefined {
  const name = ["https_proxy", "HTTPS_PROXY"].find((name) => env(name));
  if (name === undefined) return undefined;
  const exceptions = env("no_proxy") || env("NO_PROXY") || "";
  if (exceptions.split(/[\s,]+/).some((pattern) => pattern !== "" && isListed(server, pattern.toLowerCase()))) {
    return undefined;
  }
  try {
    return parseProxy(env(name) ?? "");
  } catch (error) {
    throw new SyntaxError(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Asks the proxy at the other end of `conn` for a connection to `target`. When this resolves, the next byte of `conn`
 * is the target's first. Whoever calls sees to a deadline, and closes `conn` if this rejects.
 *
 * @throws {ProxyError} with one line about what the proxy said; what `conn` throws.
 */
export async function connectThroughProxy(
  conn: Pick<Duplex, "read" | "write">,
  target: Address,
  credentials?: ProxyCredentials,
): Promise<void> {
  // A host with a line break in it would be a header of its own.
  if (!isHost(target.host)) throw new SyntaxError("the server's host is neither a host name nor an IP address");
  const authority = formatAddress(target);
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (credentials) lines.push(`Proxy-Authorization: Basic ${basic(credentials)}`);
  let request = new TextEncoder().encode([...lines, "", ""].join("\r\n"));
  while (request.length > 0) request = request.subarray(await conn.write(request));

  const head = new HeadReader(conn);
  for (;;) {
    const [line = "", ...fields] = await head.next();
    const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |$)/.exec(line)?.[1];
    if (status === undefined) throw new ProxyError(`the proxy does not speak HTTP: it said ${quote(line)}`);
    if (status.startsWith("2")) return;
    if (status.startsWith("1")) continue; // there is more to come (RFC 9110 §15.2)
    const hint = status === "407" ? wantedHint(fields, credentials) : `the proxy does not connect to ${authority}`;
    throw new ProxyError(`${hint}: it said ${quote(line)}`);
  }
}

/** What a proxy means that wants somebody to log in, by the schemes that it offers (RFC 9110 §11.7.1). */
function wantedHint(fields: readonly string[], credentials: ProxyCredentials | undefined): string {
  const schemes = offeredSchemes(fields);
  if (schemes.length > 0 && !schemes.some((scheme) => scheme.toLowerCase() === "basic")) {
    return `the proxy wants ${schemes.join(" or ")}, and only Basic is supported here; ` +
      "one that takes Basic would do, or a local one that speaks it to this one";
  }
  return credentials
    ? "the proxy does not take these credentials"
    : "the proxy wants credentials, as in http://USER:PASSWORD@HOST:PORT";
}

/** The schemes in `Proxy-Authenticate`: one or more a line, each with parameters of its own. */
function offeredSchemes(fields: readonly string[]): string[] {
  const offers = fields.flatMap((field) => {
    const value = /^proxy-authenticate[ \t]*:(.*)$/i.exec(field)?.[1] ?? "";
    return value.replace(/"(?:[^"\\]|\\.)*"/g, "x").split(","); // a comma in a quoted text parts nothing
  });
  // A parameter has its = at its name, or behind a blank; what a scheme has behind its blank begins otherwise.
  const names = offers.map((offer) => /^[ \t]*([a-z][a-z0-9-]*)(?:[ \t]+[^= \t].*|[ \t]*)$/i.exec(offer)?.[1] ?? "");
  return [...new Set(names)].filter((name) => name !== "" && name.length <= MAX_SCHEME).slice(0, MAX_SCHEMES);
}

/** Reads heads of HTTP messages from a connection, and never a byte of what follows them. */
class HeadReader {
  readonly #conn: Pick<Duplex, "read">;
  readonly #buffer = new Uint8Array(MAX_PROXY_ANSWER);
  #fill = 0;

  constructor(conn: Pick<Duplex, "read">) {
    this.#conn = conn;
  }

  /** The lines of the next head, when all of it is read. */
  async next(): Promise<string[]> {
    const start = this.#fill;
    let lineIsEmpty = false; // so far; the head's own first line is not to be
    for (;;) {
      if (this.#fill === MAX_PROXY_ANSWER) {
        throw new ProxyError(`the head of the proxy's answer is longer than ${MAX_PROXY_ANSWER} bytes`);
      }
      // In an empty line a byte can be the last one; otherwise at least two line feeds are to come.
      const room = Math.min(lineIsEmpty ? 1 : 2, MAX_PROXY_ANSWER - this.#fill);
      const count = await this.#conn.read(this.#buffer.subarray(this.#fill, this.#fill + room));
      if (count === null) {
        const got = this.#fill - start;
        throw new ProxyError(
          `the proxy closed ${got === 0 ? "without an answer" : `in its answer, after ${got} bytes`}`,
        );
      }
      for (const byte of this.#buffer.subarray(this.#fill, this.#fill + count)) {
        if (byte === 0x0a && lineIsEmpty) {
          this.#fill += count;
          return new TextDecoder().decode(this.#buffer.subarray(start, this.#fill)).split(/\r?\n/);
        }
        lineIsEmpty = byte === 0x0a || (byte === 0x0d && lineIsEmpty);
      }
      this.#fill += count;
    }
  }
}

function parseCredentials(text: string, shown: string): ProxyCredentials {
  const colon = text.indexOf(":");
  let user: string;
  let password: string;
  try {
    user = decodeURIComponent(colon < 0 ? text : text.slice(0, colon));
    password = colon < 0 ? "" : decodeURIComponent(text.slice(colon + 1));
  } catch {
    throw new SyntaxError(`the credentials in "${shown}" have a % that is no %XX; write %25 for it`);
  }
  if (user.includes(":") || /\p{Cc}/u.test(user + password)) {
    throw new SyntaxError(`the credentials in "${shown}" have a character that cannot be sent`);
  }
  return { user, password };
}

function basic({ user, password }: ProxyCredentials): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${password}`)));
}

/** What a peer said, fit for one line of a log. */
function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Whether an entry of NO_PROXY covers `server`: `*`, a domain and what is below it, an address, a range; with a port or without. */
function isListed({ host, port }: Address, pattern: string): boolean {
  if (pattern === "*") return true;
  const { name, port: onPort } = splitPort(pattern);
  if (onPort !== undefined && onPort !== port) return false;
  if (parseIP(host)) return isInNetwork(host, name);
  const domain = name.replace(/^\./, "").replace(/\.$/, "");
  const own = host.toLowerCase().replace(/\.$/, "");
  return domain !== "" && (own === domain || own.endsWith(`.${domain}`));
}

function splitPort(pattern: string): { name: string; port?: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(pattern) ?? [];
  const name = bracketed ?? plain ?? pattern; // what is left is IPv6 without brackets
  return port === undefined ? { name } : { name, port: parsePortOf(port) };
}

/** A port that no server has, if it is none. */
function parsePortOf(text: string): number {
  try {
    return parsePort(text);
  } catch {
    return -1;
  }
}
