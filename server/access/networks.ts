/**
 * A set of networks, which is asked for an address in the same time for one network and for a thousand.
 *
 * @module
 */

import { ipBytes, rangeOf } from "../../protocol/ip.ts";

/** Networks of one family whose prefixes are as long as each other. */
interface SameLength {
  /** Bytes of an address of the family. */
  readonly size: number;
  /** Bits that count. */
  readonly bits: number;
  readonly prefixes: Set<string>;
}

/** Networks, `10.0.0.0/8`, and single addresses. IPv4 that is written as IPv6 is IPv4. */
export class NetworkSet {
  readonly #lengths = new Map<string, SameLength>();

  /** @throws {SyntaxError} for what is no network. */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const range = rangeOf(text);
      if (!range) throw new SyntaxError(`"${text}" is not a network; write one as in 10.0.0.0/8`);
      const { bytes, bits } = range;
      const key = `${bytes.length}/${bits}`;
      const same = this.#lengths.get(key) ?? { size: bytes.length, bits, prefixes: new Set() };
      this.#lengths.set(key, same);
      same.prefixes.add(prefixOf(bytes, bits));
    }
  }

  /** Whether the IP `host` is in one of them; what is no IP is in none. */
  has(host: string): boolean {
    const bytes = ipBytes(host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host);
    if (!bytes) return false;
    for (const { size, bits, prefixes } of this.#lengths.values()) {
      if (size === bytes.length && prefixes.has(prefixOf(bytes, bits))) return true;
    }
    return false;
  }
}

const made = new WeakMap<readonly string[], NetworkSet>();

/** The set of a list, made once: the rules for all stand in one list, whatever the number of services. */
export function networkSet(networks: readonly string[]): NetworkSet {
  let set = made.get(networks);
  if (!set) made.set(networks, set = new NetworkSet(networks));
  return set;
}

/** The first `bits` bits of an address, a character a byte. */
function prefixOf(bytes: readonly number[], bits: number): string {
  const whole = bits >> 3;
  const rest = bits & 7;
  const prefix = String.fromCharCode(...bytes.slice(0, whole));
  return rest === 0 ? prefix : prefix + String.fromCharCode(bytes[whole]! & (0xff << (8 - rest) & 0xff));
}
