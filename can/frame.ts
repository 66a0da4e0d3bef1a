/**
 * A CAN frame as all wires and buses here see it.
 *
 * @module
 */

import { MAX_CAN_DATA, MAX_FD_DATA } from "./limits.ts";

/** The id has 29 bits. */
export const EXTENDED = 1;
/** It asks for data, and has none. */
export const REMOTE = 2;
/** It tells of an error of the bus, and its id says which class. */
export const ERROR = 4;
/** It is one of CAN FD. */
export const FD = 8;
/** CAN FD: its data goes at the higher bitrate. */
export const BRS = 16;
/** CAN FD: its sender has seen many errors. */
export const ESI = 32;

/** One frame. Nobody changes it: all clients of a bus share it. */
export interface CanFrame {
  /** 11 bits, or 29. */
  readonly id: number;
  /** Sum of {@linkcode EXTENDED} and its kin. */
  readonly flags: number;
  /** Bytes of data; a remote frame's is what it asks for. */
  readonly length: number;
  /** Of that length; a remote frame's is empty. */
  readonly data: Uint8Array;
  /** Seconds since 1970 when the bus had it; 0 where nobody knows. */
  readonly time: number;
}

/** No data. */
export const NO_DATA = new Uint8Array(0);

/** Lengths that a CAN FD frame may have, by their code. */
export const FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64] as const;

/** What is wrong with a frame, or nothing. */
export function frameFault({ id, flags, length, data }: CanFrame): string | undefined {
  const most = flags & (EXTENDED | ERROR) ? 0x1fff_ffff : 0x7ff;
  if (!Number.isInteger(id) || id < 0 || id > most) return `an id above ${most.toString(16)}, in hexadecimal`;
  const max = flags & FD ? MAX_FD_DATA : MAX_CAN_DATA;
  if (!Number.isInteger(length) || length < 0 || length > max) return `${length} bytes of data are more than ${max}`;
  if (flags & FD && flags & REMOTE) return "CAN FD has no remote frames";
  if (flags & FD && !FD_LENGTHS.includes(length as never)) return `CAN FD has no frames of ${length} bytes`;
  if (data.length !== (flags & REMOTE ? 0 : length)) return `there are ${data.length} of ${length} bytes`;
  return undefined;
}

/** The same frame with the time of the bus. */
export function at(frame: CanFrame, time: number): CanFrame {
  const { id, flags, length, data } = frame;
  return { id, flags, length, data, time };
}

/** What SocketCAN says where frames were lost because nobody took them: class "controller", receive overflow. */
export function overflowFrame(time: number): CanFrame {
  return { id: 0x004, flags: ERROR, length: 8, data: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0), time };
}

/** Bit 31 of a filter's id and mask: whether the id has 29 bits. */
export const KIND_BIT = 0x8000_0000;

/** Lets frames pass whose id is this one where the mask has bits. */
export interface CanFilter {
  /** With {@linkcode KIND_BIT} for an id of 29 bits. */
  readonly id: number;
  /** With {@linkcode KIND_BIT} if the kind of the id counts. */
  readonly mask: number;
}

/** Whether a frame passes: any filter will do; without filters all pass, and what a bus tells of errors always does. */
export function passes(filters: readonly CanFilter[], { id, flags }: CanFrame): boolean {
  if (filters.length === 0 || flags & ERROR) return true;
  const whole = flags & EXTENDED ? id | KIND_BIT : id;
  for (const filter of filters) {
    if (((whole ^ filter.id) & filter.mask) === 0) return true;
  }
  return false;
}
