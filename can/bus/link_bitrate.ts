/**
 * The bitrate that the administrator has given to a CAN interface, which only netlink tells (rtnetlink(7), RTM_GETLINK).
 *
 * @module
 */

import { AF_NETLINK, CLOEXEC, NONBLOCK, SOCK_RAW } from "../../net/kernel/libc.ts";
import type { CanCalls } from "./can_calls.ts";
import { LITTLE } from "./socketcan_frames.ts";

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const NLM_F_REQUEST = 1;
const HEADER = 16; // struct nlmsghdr
const INFO = 16; // struct ifinfomsg
const ATTRIBUTE = 4; // struct rtattr

/** Attributes, one within the other: IFLA_LINKINFO, IFLA_INFO_DATA, IFLA_CAN_BITTIMING. */
const WAY = [18, 2, 1];

/** Room for the answer, in bytes. */
const ANSWER = 16_384;

/** Bits per second of an interface; `undefined` if it has none, as a virtual one, or it cannot be found out. */
export function linkBitrate(calls: CanCalls, index: number): number | undefined {
  const fd = calls.socket(AF_NETLINK, SOCK_RAW | NONBLOCK | CLOEXEC, 0);
  if (fd < 0) return undefined;
  try {
    const question = linkQuestion(index);
    if (Number(calls.write(fd, question, BigInt(question.length))) < 0) return undefined;
    const answer = new Uint8Array(ANSWER); // the kernel has put it together within that call
    const size = Number(calls.read(fd, answer, BigInt(ANSWER)));
    return size > 0 ? readLinkBitrate(answer.subarray(0, size)) : undefined;
  } finally {
    calls.close(fd);
  }
}

/** Asks for one interface. */
export function linkQuestion(index: number): Uint8Array<ArrayBuffer> {
  const question = new Uint8Array(HEADER + INFO);
  const view = new DataView(question.buffer);
  view.setUint32(0, question.length, LITTLE);
  view.setUint16(4, RTM_GETLINK, LITTLE);
  view.setUint16(6, NLM_F_REQUEST, LITTLE);
  view.setInt32(HEADER + 4, index, LITTLE);
  return question;
}

/** Reads the answer. @returns bits per second; `undefined` if it says none. */
export function readLinkBitrate(answer: Uint8Array): number | undefined {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  if (answer.length < HEADER + INFO || view.getUint16(4, LITTLE) !== RTM_NEWLINK) return undefined;
  let [start, end] = [HEADER + INFO, Math.min(answer.length, view.getUint32(0, LITTLE))];
  for (const wanted of WAY) {
    const found = attribute(view, start, end, wanted);
    if (!found) return undefined;
    [start, end] = found;
  }
  const bitrate = end - start >= 4 ? view.getUint32(start, LITTLE) : 0;
  return bitrate > 0 ? bitrate : undefined;
}

/** Where the content of an attribute stands. */
function attribute(view: DataView, start: number, end: number, wanted: number): [number, number] | undefined {
  for (let at = start; at + ATTRIBUTE <= end;) {
    const size = view.getUint16(at, LITTLE);
    if (size < ATTRIBUTE || at + size > end) return undefined;
    if ((view.getUint16(at + 2, LITTLE) & 0x3fff) === wanted) return [at + ATTRIBUTE, at + size];
    at += (size + 3) & ~3;
  }
  return undefined;
}
