/**
 * Asks the kernel of Linux which way packets to one address take (rtnetlink(7), RTM_GETROUTE): one look-up, however many routes
 * there are. Needs the permission `ffi`, and glibc.
 *
 * @module
 */

import { parseIP } from "../../protocol/ip.ts";
import { AF_INET, AF_INET6, AF_NETLINK, type Calls, CLOEXEC, libc, MSG_DONTWAIT, SOCK_RAW } from "./libc.ts";

/** The way to an address. */
export interface Way {
  /** Number of the interface. */
  readonly device: number;
  /** The router, as bytes in hexadecimal; empty if the address is on the interface's own network. */
  readonly gateway: string;
  /** The address that a new connection would have here, as bytes in hexadecimal. */
  readonly source: string;
  /** Whether the address is one of this machine's own. */
  readonly isLocal: boolean;
}

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const NLM_F_REQUEST = 1;

const RTN_UNICAST = 1;
const RTN_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_VIA = 18;
const IFF_RUNNING = 0x40;

const HEADER_SIZE = 16; // struct nlmsghdr
const ROUTE_SIZE = 12; // struct rtmsg
const LINK_SIZE = 16; // struct ifinfomsg

/** Room for an answer, in bytes; that about an interface has up to some thousand, of which the head will do. */
const ANSWER_SIZE = 8_192;

/** Numbers are in the machine's own order. */
const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Whether the kernel can be asked here. */
export function canAsk(): boolean {
  return libc() !== undefined;
}

/** The ways to `hosts`, which are IPs; `undefined` for one to which none leads, or over an interface without its cable. */
export function waysTo(hosts: readonly string[]): (Way | undefined)[] {
  const calls = libc();
  const fd = calls?.socket(AF_NETLINK, SOCK_RAW | CLOEXEC, 0) ?? -1;
  if (!calls || fd < 0) return hosts.map(() => undefined);
  try {
    return hosts.map((host) => wayTo(calls, fd, host));
  } finally {
    calls.close(fd);
  }
}

function wayTo(calls: Calls, fd: number, host: string): Way | undefined {
  const bytes = parseIP(host);
  if (!bytes) return undefined;
  const request = new Uint8Array(ROUTE_SIZE + 4 + bytes.length);
  request[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  request[1] = bytes.length * 8;
  const view = new DataView(request.buffer);
  view.setUint16(ROUTE_SIZE, 4 + bytes.length, LITTLE);
  view.setUint16(ROUTE_SIZE + 2, RTA_DST, LITTLE);
  request.set(bytes, ROUTE_SIZE + 4);
  const answer = ask(calls, fd, RTM_GETROUTE, RTM_NEWROUTE, request);
  const way = answer && readWay(answer);
  return way && isRunning(calls, fd, way.device) ? way : undefined;
}

/** Reads a route: `struct rtmsg` and its attributes. Kinds that lead nowhere (unreachable, blackhole …) are none. */
export function readWay(route: Uint8Array): Way | undefined {
  const kind = route[7];
  if (route.length < ROUTE_SIZE || kind !== RTN_UNICAST && kind !== RTN_LOCAL) return undefined;
  const view = new DataView(route.buffer, route.byteOffset, route.byteLength);
  const found = new Map<number, Uint8Array>();
  for (let at = ROUTE_SIZE; at + 4 <= route.length;) {
    const length = view.getUint16(at, LITTLE);
    if (length < 4 || at + length > route.length) break;
    found.set(view.getUint16(at + 2, LITTLE), route.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  const device = found.get(RTA_OIF);
  if (device?.length !== 4) return undefined;
  return {
    device: new DataView(device.buffer, device.byteOffset, 4).getUint32(0, LITTLE),
    gateway: hex(found.get(RTA_GATEWAY) ?? found.get(RTA_VIA)?.subarray(2)),
    source: hex(found.get(RTA_PREFSRC)),
    isLocal: kind === RTN_LOCAL,
  };
}

/** Whether an interface is up, and has its cable as far as it knows. */
function isRunning(calls: Calls, fd: number, device: number): boolean {
  const request = new Uint8Array(LINK_SIZE);
  new DataView(request.buffer).setInt32(4, device, LITTLE);
  const answer = ask(calls, fd, RTM_GETLINK, RTM_NEWLINK, request);
  if (!answer || answer.length < LINK_SIZE) return true; // nothing is known against it
  return (new DataView(answer.buffer, answer.byteOffset).getUint32(8, LITTLE) & IFF_RUNNING) !== 0;
}

/** Used again for each answer, as a device asks all the time, and its memory would else grow until it is collected. */
const room = new Uint8Array(ANSWER_SIZE);

/**
 * One request and its answer, without their headers, which holds until the next one is asked; `undefined` if the kernel has
 * another answer. It never waits.
 */
function ask(calls: Calls, fd: number, type: number, wanted: number, body: Uint8Array): Uint8Array | undefined {
  const request = new Uint8Array(HEADER_SIZE + body.length);
  const head = new DataView(request.buffer);
  head.setUint32(0, request.length, LITTLE);
  head.setUint16(4, type, LITTLE);
  head.setUint16(6, NLM_F_REQUEST, LITTLE);
  request.set(body, HEADER_SIZE);
  if (Number(calls.send(fd, request, BigInt(request.length), 0)) !== request.length) return undefined;
  const count = Number(calls.recv(fd, room, BigInt(room.length), MSG_DONTWAIT));
  if (count < HEADER_SIZE) return undefined;
  const view = new DataView(room.buffer);
  if (view.getUint16(4, LITTLE) !== wanted) return undefined;
  return room.subarray(HEADER_SIZE, Math.min(count, view.getUint32(0, LITTLE)));
}

function hex(bytes: ArrayLike<number> | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, "0")).join("");
}
