/**
 * IP addresses as bytes, and ranges of them, `10.0.0.0/8`, `fd00::/8` or a single address.
 *
 * @module
 */

/** The bytes of a dotted IPv4 address, without leading zeros, or `undefined` if `text` is none. Each client's address comes by here. */
export function parseIPv4(text: string): number[] | undefined {
  const bytes: number[] = [];
  let byte = -1; // before its first digit
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit >= 0 && digit <= 9 && byte !== 0) {
      byte = Math.max(0, byte) * 10 + digit;
      if (byte > 255) return undefined;
    } else if (text[at] === "." && byte >= 0 && bytes.length < 3) {
      bytes.push(byte);
      byte = -1;
    } else {
      return undefined;
    }
  }
  if (byte < 0 || bytes.length !== 3) return undefined;
  bytes.push(byte);
  return bytes;
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

/** The bytes of an IPv4 or IPv6 address, or `undefined` if `text` is none. */
export function parseIP(text: string): number[] | undefined {
  return text.includes(":") ? parseIPv6(text) : parseIPv4(text);
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

/** IPv4 where it is written as IPv6, as on a socket that takes both (RFC 4291 §2.5.5.2); anything else as it is. */
export function narrowed(bytes: number[]): number[] {
  return bytes.length === 16 && MAPPED.every((byte, at) => bytes[at] === byte) ? bytes.slice(12) : bytes;
}

/** IPv4 as it is written as IPv6; anything else as it is. */
export function widened(bytes: number[]): number[] {
  return bytes.length === 4 ? [...MAPPED, ...bytes] : bytes;
}

/** The bytes of an IP; an IPv4 address mapped into IPv6 counts as the IPv4 address that it means. */
export function ipBytes(text: string): number[] | undefined {
  const bytes = parseIP(text);
  return bytes && narrowed(bytes);
}

/** An IP address as text; IPv6 with its longest run of zeros left out (RFC 5952). */
export function formatIP(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[at * 2]! << 8 | bytes[at * 2 + 1]!).toString(16));
  const runs = groups.join(":").match(/\b0(?::0\b)+/g) ?? [];
  const longest = runs.reduce((best, run) => run.length > best.length ? run : best, "");
  if (longest === "") return groups.join(":");
  const whole = groups.join(":");
  const at = whole.search(new RegExp(`\\b${longest}\\b`));
  return `${whole.slice(0, at).replace(/:$/, "")}::${whole.slice(at + longest.length).replace(/^:/, "")}`;
}

/** Whether the first `bits` bits of two IPs are the same. */
export function samePrefix(a: readonly number[], b: readonly number[], bits: number): boolean {
  if (a.length !== b.length) return false;
  return a.every((byte, at) => {
    const counted = Math.min(8, Math.max(0, bits - at * 8));
    return (byte ^ b[at]!) >> (8 - counted) === 0;
  });
}

/** Whether the IP `host` is in `network`; what is no network contains nothing. */
export function isInNetwork(host: string, network: string): boolean {
  const range = rangeOf(network);
  const bytes = ipBytes(host);
  return range !== undefined && bytes !== undefined && samePrefix(range.bytes, bytes, range.bits);
}

/**
 * Parses a network, `10.0.0.0/8`, or a single IP.
 *
 * @returns whether it contains an IP.
 * @throws {SyntaxError} with what would do.
 */
export function parseNetwork(text: string): (ip: string) => boolean {
  const range = rangeOf(text);
  if (!range) throw new SyntaxError(`"${text}" is not a network; write one as in 10.0.0.0/8`);
  return (ip) => {
    const other = ipBytes(ip);
    return other !== undefined && samePrefix(range.bytes, other, range.bits);
  };
}

/** The base of a range, and how many of its bits count; `undefined` if `text` is no network and no IP. */
export function rangeOf(text: string): { bytes: number[]; bits: number } | undefined {
  const [base = "", length, ...rest] = text.split("/");
  const bytes = ipBytes(base.replace(/^\[(.*)\]$/, "$1"));
  if (!bytes || rest.length > 0) return undefined;
  const bits = length === undefined ? bytes.length * 8 : /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  return bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}
