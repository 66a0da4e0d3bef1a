/**
 * Addresses as people write them: `HOST:PORT`, with IPv6 in brackets.
 *
 * Pure text work: nothing here resolves a name or opens a socket.
 *
 * @module
 */

/** A host (name or IP, without brackets) and a TCP port. */
export interface Address {
  /** A host name, an IPv4 address or an IPv6 address without brackets. */
  readonly host: string;
  /** 0–65535. Port 0 means "any free port" and only makes sense for listening. */
  readonly port: number;
}

const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?$/i;

/** Longest host that an address may carry, in bytes (RFC 1035 §2.3.4). */
export const MAX_HOST_LENGTH = 255;

/**
 * Parses `HOST:PORT`; IPv6 is written `[::1]:22`.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 *
 * @example
 * ```ts
 * import { parseAddress } from "@sallyport/sallyport";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseAddress("[::1]:22"), { host: "::1", port: 22 });
 * assert.throws(() => parseAddress("relay.example"), SyntaxError);
 * ```
 */
export function parseAddress(text: string): Address {
  const [host, portText] = splitHostPort(text);
  if (host === "") throw new SyntaxError(`"${text}" has no host; write HOST:PORT`);
  if (!isHost(host)) throw notAHost(host, text);
  return { host, port: parsePort(portText, text) };
}

/** Splits `HOST:PORT` or `[IPV6]:PORT` without judging either part. */
export function splitHostPort(text: string): [host: string, port: string] {
  const bracketed = /^\[([^\]]*)\]:(.*)$/.exec(text);
  if (bracketed) {
    const host = bracketed[1] ?? "";
    if (!isIPv6(host.split("/")[0] ?? "")) {
      throw new SyntaxError(`"${host}" in "${text}" is not an IPv6 address`);
    }
    return [host, bracketed[2] ?? ""];
  }
  rejectOtherKinds(text);
  if (text.includes("//")) throw new SyntaxError(`"${text}" is a URL; write HOST:PORT alone`);
  if (/^\d+$/.test(text)) throw new SyntaxError(`"${text}" has no host; write HOST:PORT, as in 127.0.0.1:${text}`);
  const colon = text.lastIndexOf(":");
  if (colon < 0) throw new SyntaxError(`"${text}" has no port; write HOST:PORT`);
  const host = text.slice(0, colon);
  if (host.includes(":")) {
    throw new SyntaxError(`"${text}" is ambiguous; write an IPv6 address in brackets, as in [::1]:22`);
  }
  return [host, text.slice(colon + 1)];
}

/** What others carry, and this does not: better said than that a bracket is missing. */
function rejectOtherKinds(text: string): void {
  if (/^(?:udp[46]?|quic):(?![\d*-]+$)|\/(?:udp[46]?|quic)$/i.test(text)) {
    throw new SyntaxError(
      `"${text}": UDP is not supported; what is carried is TCP: write HOST:PORT, as in 127.0.0.1:53`,
    );
  }
  if (/^(?:unix(?:-\w+)?:(?![\d*-]+$)|[/@~]|\.{1,2}\/)|\.sock$/i.test(text)) {
    throw new SyntaxError(
      `"${text}": Unix sockets are not supported; what is carried is TCP: write HOST:PORT, as in 127.0.0.1:8080`,
    );
  }
  const plain = /^tcp[46]?:(?:\/\/)?([^/]*:[^/]*)\/?$|^(.*)\/tcp[46]?$/i.exec(text);
  if (plain) throw new SyntaxError(`"${text}": TCP goes without saying; write ${plain[1] ?? plain[2]} alone`);
}

/** The error for a host that is none, with its form in letters of the DNS if it is a name in others (RFC 5890). */
export function notAHost(host: string, text: string, what = "neither a host name nor an IP address"): SyntaxError {
  const ascii = asciiName(host);
  return new SyntaxError(
    ascii === undefined
      ? `"${host}" in "${text}" is ${what}`
      : `"${host}" in "${text}" has letters that host names are not written in; write it as ${ascii}`,
  );
}

function asciiName(host: string): string | undefined {
  if (!/[^\0-\x7f]/.test(host)) return undefined;
  try {
    const { hostname } = new URL(`http://${host}/`);
    return isHost(hostname) ? hostname : undefined;
  } catch {
    return undefined;
  }
}

/** Parses a port, 0–65535. `whole` is the text to quote in the error. */
export function parsePort(text: string, whole: string = text): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65535)) {
    throw new SyntaxError(`"${text}" in "${whole}" is not a port; write a number from 0 to 65535`);
  }
  return port;
}

/** The inverse of {@linkcode parseAddress}. */
export function formatAddress(address: Address): string {
  const { host, port } = address;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a host is an IP address, without brackets: nobody has to be asked where it is. */
export function isIpAddress(host: string): boolean {
  return (host.includes(":") ? parseIPv6(host) : parseIPv4(host)) !== undefined;
}

/** Whether `host` can stand in an address: a name, an IPv4 or an IPv6 address. */
export function isHost(host: string): boolean {
  if (host.length === 0 || host.length > MAX_HOST_LENGTH) return false;
  if (host.includes(":")) return isIPv6(host);
  if (/^[\d.]+$/.test(host)) return parseIPv4(host) !== undefined;
  return HOST_NAME.test(host);
}

/** The bytes of a dotted IPv4 address, or `undefined` if `text` is none. */
export function parseIPv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((part) => /^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** The 16 bytes of an IPv6 address (RFC 4291 §2.2, zone ignored), or `undefined` if `text` is none. */
export function parseIPv6(text: string): number[] | undefined {
  let body = text.replace(/%[\w.-]+$/, "");
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(body);
  if (dotted) {
    const v4 = parseIPv4(dotted[2] ?? "");
    if (!v4) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = v4;
    body = `${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const halves = body.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => half === "" ? [] : half.split(":"));
  const [head = [], tail = []] = groups;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
}

function isIPv6(text: string): boolean {
  return text.includes(":") && parseIPv6(text) !== undefined;
}
