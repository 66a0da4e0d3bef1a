/**
 * Binds a socket that is to connect to the uplink that it is to go out by.
 *
 * @module
 */

import { AF_INET, SOL_SOCKET } from "../kernel/libc.ts";
import { familyName, uplinkAddress } from "../uplink.ts";
import type { SocketCalls } from "./calls.ts";
import { EADDRNOTAVAIL, ENODEV, EPERM, socketError } from "../kernel/errno.ts";
import { kernelAddress } from "../kernel/socket_address.ts";

const SO_BINDTODEVICE = 25;
const IPPROTO_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;
const ON = new Uint8Array(Int32Array.of(1).buffer);

/** An address of an interface of this machine. */
export type OwnAddress = Pick<Deno.NetworkInterfaceInfo, "name" | "family">;

/**
 * Binds `fd`, of `family`, to `uplink`.
 *
 * @throws {Error} with one line about what is not there, and the system's `code`.
 */
export function bindUplink(
  calls: SocketCalls,
  fd: number,
  family: number,
  uplink: string,
  own: () => readonly OwnAddress[] = ownAddresses,
): void {
  const wanted = family === AF_INET ? "IPv4" : "IPv6";
  const ip = uplinkAddress(uplink);
  if (ip) {
    if (familyName(ip) !== wanted) {
      throw new Error(`it is an ${familyName(ip)} address, and the other side's is ${wanted}`);
    }
    const { bytes } = kernelAddress({ host: uplink, port: 0 });
    calls.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ON, 4); // else the ports of all destinations were one
    if (calls.bind(fd, bytes, bytes.length) !== 0) throw explained(calls.errno(), WHY_NOT_ADDRESS);
    return;
  }
  const name = new TextEncoder().encode(`${uplink}\0`);
  if (calls.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length) !== 0) {
    throw explained(calls.errno(), WHY_NOT_INTERFACE);
  }
  // The kernel would take another interface's address, with which no answer comes back.
  const addresses = own();
  if (addresses.length > 0 && !addresses.some((each) => each.name === uplink && each.family === wanted)) {
    throw Object.assign(new Error(`the interface has no ${wanted} address`), { code: "EADDRNOTAVAIL" });
  }
}

const WHY_NOT_ADDRESS: Readonly<Record<number, string>> = {
  [EADDRNOTAVAIL]: "this machine does not have that address now",
};

const WHY_NOT_INTERFACE: Readonly<Record<number, string>> = {
  [ENODEV]: "there is no such interface now",
  [EPERM]: "this kernel lets only CAP_NET_RAW choose an interface (5.7 and later let anybody); its address would do",
};

function explained(errno: number, why: Readonly<Record<number, string>>): Error {
  const error = socketError(errno);
  return why[errno] === undefined
    ? error
    : Object.assign(new Error(why[errno], { cause: error }), { code: codeOf(error) });
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}

/** Those of this machine; none where they may not be looked at. */
function ownAddresses(): readonly OwnAddress[] {
  try {
    return Deno.networkInterfaces();
  } catch {
    return [];
  }
}
