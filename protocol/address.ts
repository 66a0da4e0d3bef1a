/**
 * Addresses as people write them: `HOST:PORT`, with IPv6 in brackets.
 *
 * Pure text work: nothing here resolves a name or opens a socket.
 *
 * @module
 */

import { parseIPv4, parseIPv6 } from "./ip.ts";
import { MAX_HOST_LENGTH } from "./limits.ts";

/** A host (name or IP, without brackets) and a TCP port. */
export interface Address {
  /** A host name, an IPv4 address or an IPv6 address without brackets. */
  readonly host: string;
  /** 0–65535. Port 0 means "any free port" and only makes sense for listening. */
  readonly port: number;
}

const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?$/i;

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
  if (/^[\d.]+:\d+$/.test(text)) { // IPv4, as most are: each client's address comes by here
    const colon = text.indexOf(":");
    return [text.slice(0, colon), text.slice(colon + 1)];
  }
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
      `"${text}": UDP is not supported here, but for services of v2 (docs/how-to/udp.md); write HOST:PORT, as in 127.0.0.1:53`,
    );
  }
  if (/^(?:unix(?:-\w+)?:(?![\d*-]+$)|[/@~]|\.{1,2}\/)|\.sock$/i.test(text)) {
    throw new SyntaxError(
      `"${text}": Unix sockets are not supported here; what is carried is TCP: write HOST:PORT, as in 127.0.0.1:8080`,
    );
  }
  const plain = /^tcp[46]?:(?:\/\/)?([^/]*:[^/]*)\/?$|^(.*)\/tcp[46]?$/i.exec(text);
  if (plain) throw new SyntaxError(`"${text}": TCP goes without saying; write ${plain[1] ?? plain[2]} alone`);
}

/** The error for a host that is none, with its form in letters of the DNS if it is a name in others (RFC 5890). */
export function notAHost(
  host: string,
  text: string,
  what = "neither a host name nor an IP address; write one as in relay.example or 192.0.2.7",
): SyntaxError {
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

/** The port at which a server listens for devices if nobody says otherwise, by profile; v1's is that of the ReadyAgent's files. */
export const DEFAULT_PORTS = { v1: 2065, v2: 7443 } as const;

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

/** Whether `host` can stand in an address: a name, an IPv4 or an IPv6 address. */
export function isHost(host: string): boolean {
  if (host.length === 0 || host.length > MAX_HOST_LENGTH) return false;
  if (host.includes(":")) return isIPv6(host);
  if (/^[\d.]+$/.test(host)) return parseIPv4(host) !== undefined;
  return HOST_NAME.test(host);
}

function isIPv6(text: string): boolean {
  return text.includes(":") && parseIPv6(text) !== undefined;
}
