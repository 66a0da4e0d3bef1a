/**
 * Addresses as the kernel has them: `struct sockaddr_in` and `struct sockaddr_in6`.
 *
 * @module
 */

import type { Address } from "../../protocol/address.ts";
import { formatIP, narrowed, parseIP } from "../../protocol/ip.ts";
import { AF_INET, AF_INET6, type Calls, IS_LITTLE_ENDIAN, libc, SOCKADDR_SIZE } from "./libc.ts";
import { ENODEV, socketError } from "./errno.ts";

/** Room for an address, which the kernel fills. */
export class AddressRoom {
  readonly bytes = new Uint8Array(SOCKADDR_SIZE);
  readonly size = new Uint32Array(1);
  readonly #family = new Uint16Array(this.bytes.buffer, 0, 1); // in the machine's own byte order

  /** To be called before each use. */
  reset(): this {
    this.size[0] = SOCKADDR_SIZE;
    return this;
  }

  /** What the kernel wrote. */
  read(): Address {
    const { bytes } = this;
    const port = bytes[2]! << 8 | bytes[3]!;
    if (this.#family[0] === AF_INET) return { host: `${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`, port };
    if (this.#family[0] !== AF_INET6) return { host: "0.0.0.0", port: 0 };
    const scope = new DataView(bytes.buffer).getUint32(24, IS_LITTLE_ENDIAN);
    const ip = [...bytes.subarray(8, 24)];
    const v4 = narrowed(ip); // as the runtime writes IPv4 on a socket that takes both
    const host = v4.length === 4 ? `::ffff:${v4.join(".")}` : formatIP(ip);
    return { host: scope === 0 ? host : `${host}%${scope}`, port };
  }
}

const room = new AddressRoom();

/** The address to which a socket is bound. */
export function localAddressOf(calls: Pick<Calls, "getsockname">, fd: number): Address {
  const { bytes, size } = room.reset();
  bytes.fill(0);
  calls.getsockname(fd, bytes, size);
  return room.read();
}

/** An address for the kernel, and its family. */
export interface KernelAddress {
  readonly family: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** @throws {TypeError} for a host that is no IP address; `ENODEV` for one in the zone of an interface that is not there. */
export function kernelAddress({ host, port }: Address): KernelAddress {
  const [text, zone = ""] = host.split("%");
  const ip = parseIP(text!);
  if (!ip) throw new TypeError(`${host} is no IP address`);
  const isV4 = ip.length === 4;
  const bytes = new Uint8Array(isV4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  const family = isV4 ? AF_INET : AF_INET6;
  view.setUint16(0, family, IS_LITTLE_ENDIAN);
  view.setUint16(2, port);
  bytes.set(ip, isV4 ? 4 : 8);
  if (!isV4 && zone !== "") view.setUint32(24, scopeOf(zone), IS_LITTLE_ENDIAN);
  return { family, bytes };
}

/** The number of the interface that a zone names, or is (RFC 4007 §11). */
function scopeOf(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  const scope = libc()?.if_nametoindex(new TextEncoder().encode(`${zone}\0`));
  if (!scope) throw socketError(ENODEV);
  return scope;
}
