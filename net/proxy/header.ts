/**
 * The PROXY protocol, versions 1 and 2 (haproxy's `proxy-protocol.txt`): a header in front of a connection's bytes that
 * says whose they are. Pure: bytes in, bytes out.
 *
 * @module
 */

import { MAX_PROXY_V1_HEADER, MAX_PROXY_V2_HEADER } from "../limits.ts";
import { formatIP, ipBytes, narrowed, parseIPv4, parseIPv6, widened } from "../../protocol/ip.ts";
import type { Address } from "../../protocol/address.ts";

/** What a header said. */
export interface ProxyHeader {
  /** Where the connection comes from; absent if the sender speaks for itself or does not know. */
  readonly source?: Address;
}

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const V1_START = [...new TextEncoder().encode("PROXY ")];
const V2_HEAD = SIGNATURE.length + 4;
/** The shortest header there is: `PROXY UNKNOWN`, and the end of its line. */
const LEAST = 15;

const V2_LOCAL = 0x20;
const V2_PROXY = 0x21;
const V2_TCP4 = 0x11;
const V2_TCP6 = 0x21;

const LF = 0x0a;

/**
 * The header for a connection from `source` to `destination`. If either is not known, or is no IP address, the header
 * says so. IPv4 on one side alone is written as IPv6.
 */
export function encodeProxyHeader(version: 1 | 2, source?: Address, destination?: Address): Uint8Array {
  const from = source && ipBytes(source.host);
  const to = destination && ipBytes(destination.host);
  if (!source || !destination || !from || !to) {
    return version === 1 ? text("PROXY UNKNOWN\r\n") : Uint8Array.of(...SIGNATURE, V2_LOCAL, 0, 0, 0);
  }
  const isV4 = from.length === 4 && to.length === 4;
  const [a, b] = isV4 ? [from, to] : [widened(from), widened(to)];
  if (version === 1) {
    const family = isV4 ? "TCP4" : "TCP6";
    return text(`PROXY ${family} ${formatIP(a)} ${formatIP(b)} ${source.port} ${destination.port}\r\n`);
  }
  const ports = [source.port >> 8, source.port & 255, destination.port >> 8, destination.port & 255];
  const body = [...a, ...b, ...ports];
  return Uint8Array.of(...SIGNATURE, V2_PROXY, isV4 ? V2_TCP4 : V2_TCP6, 0, body.length, ...body);
}

/** Takes the header of either version off the front of a connection, however its bytes are split. */
export class ProxyHeaderReader {
  readonly #buffer = new Uint8Array(MAX_PROXY_V2_HEADER);
  #fill = 0;

  /** Bytes of the header that are still to come, at least: whoever reads no more never reads what follows it. */
  get wanted(): number {
    const fill = this.#fill;
    if (fill < LEAST) return LEAST - fill;
    if (this.#buffer[0] === V1_START[0]) return 1;
    return fill < V2_HEAD ? V2_HEAD - fill : V2_HEAD + (this.#buffer[14]! << 8 | this.#buffer[15]!) - fill;
  }

  /**
   * Takes the next bytes, {@linkcode ProxyHeaderReader.wanted} at most.
   *
   * @returns the header when it is whole, otherwise `undefined`.
   * @throws {SyntaxError} with one line, as soon as it cannot become a header that is taken.
   */
  feed(chunk: Uint8Array): ProxyHeader | undefined {
    this.#buffer.set(chunk, this.#fill);
    this.#fill += chunk.length;
    const header = this.#parse(this.#buffer.subarray(0, this.#fill));
    return header && { ...header.source && { source: header.source } };
  }

  #parse(bytes: Uint8Array): Parsed | undefined {
    if (bytes.length === 0) return undefined;
    const isV1 = bytes[0] === V1_START[0];
    const start = isV1 ? V1_START : SIGNATURE;
    if (start.some((byte, at) => at < bytes.length && bytes[at] !== byte)) {
      throw new SyntaxError("expected a PROXY header, got something else");
    }
    return isV1 ? parseV1(bytes) : parseV2(bytes);
  }
}

interface Parsed {
  readonly source?: Address | undefined;
  readonly size: number;
}

function parseV1(bytes: Uint8Array): Parsed | undefined {
  const end = bytes.subarray(0, MAX_PROXY_V1_HEADER).indexOf(LF);
  if (end < 0) {
    if (bytes.length < MAX_PROXY_V1_HEADER) return undefined;
    throw new SyntaxError(`the PROXY header has no end within ${MAX_PROXY_V1_HEADER} bytes`);
  }
  const line = String.fromCharCode(...bytes.subarray(0, end + 1));
  const size = end + 1;
  if (/^PROXY UNKNOWN( [^\r\n]*)?\r\n$/.test(line)) return { size };
  const [, family, from = "", to = "", port, toPort] =
    /^PROXY TCP([46]) ([\d.a-fA-F:]+) ([\d.a-fA-F:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r\n$/.exec(line) ?? [];
  const parse = family === "4" ? parseIPv4 : parseIPv6;
  const source = parse(from);
  if (!family || !source || !parse(to) || Math.max(Number(port), Number(toPort)) > 65535) {
    throw new SyntaxError("the PROXY header, version 1, is malformed");
  }
  return { source: { host: formatIP(narrowed(source)), port: Number(port) }, size };
}

function parseV2(bytes: Uint8Array): Parsed | undefined {
  const [command, family = 0] = bytes.subarray(SIGNATURE.length);
  if (command === undefined) return undefined;
  if (command !== V2_LOCAL && command !== V2_PROXY) {
    throw new SyntaxError(`the PROXY header has version and command ${hex(command)}, which are not known`);
  }
  // Protocols 0 to 2 (unspecified, stream, datagram) in families 0 to 3 (unspecified, IPv4, IPv6, Unix).
  if ((family & 15) > 2 || family >> 4 > 3) {
    throw new SyntaxError(`the PROXY header has the address family ${hex(family)}, which is not known`);
  }
  if (bytes.length < V2_HEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = V2_HEAD + view.getUint16(V2_HEAD - 2);
  if (size > MAX_PROXY_V2_HEADER) {
    throw new SyntaxError(`the PROXY header has ${size} bytes, and ${MAX_PROXY_V2_HEADER} are taken at most`);
  }
  const length = family === V2_TCP4 ? 4 : family === V2_TCP6 ? 16 : 0;
  const isKnown = command === V2_PROXY && length > 0;
  if (isKnown && size < V2_HEAD + 2 * length + 4) {
    throw new SyntaxError("the PROXY header is too short for its addresses");
  }
  if (bytes.length < size) return undefined;
  if (!isKnown) return { size };
  const host = formatIP(narrowed([...bytes.subarray(V2_HEAD, V2_HEAD + length)]));
  return { source: { host, port: view.getUint16(V2_HEAD + 2 * length) }, size };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

function text(line: string): Uint8Array {
  return new TextEncoder().encode(line);
}
