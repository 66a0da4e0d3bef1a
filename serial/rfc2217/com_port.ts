/**
 * The commands of RFC 2217, and the numbers that it has for settings.
 *
 * @module
 */

import { type Flow, FLOWS, PARITIES, type Parity } from "../settings.ts";
import { COM_PORT, subnegotiation } from "./telnet.ts";

/** Commands of a client; the answer has 100 more. */
export const Command = {
  SIGNATURE: 0,
  SET_BAUDRATE: 1,
  SET_DATASIZE: 2,
  SET_PARITY: 3,
  SET_STOPSIZE: 4,
  SET_CONTROL: 5,
  NOTIFY_LINESTATE: 6,
  NOTIFY_MODEMSTATE: 7,
  FLOWCONTROL_SUSPEND: 8,
  FLOWCONTROL_RESUME: 9,
  SET_LINESTATE_MASK: 10,
  SET_MODEMSTATE_MASK: 11,
  PURGE_DATA: 12,
} as const;

/** Values of SET-CONTROL. */
export const Control = {
  ASK_FLOW: 0,
  FLOW_NONE: 1,
  FLOW_XON: 2,
  FLOW_HARDWARE: 3,
  ASK_BREAK: 4,
  BREAK_ON: 5,
  BREAK_OFF: 6,
  ASK_DTR: 7,
  DTR_ON: 8,
  DTR_OFF: 9,
  ASK_RTS: 10,
  RTS_ON: 11,
  RTS_OFF: 12,
  ASK_FLOW_IN: 13,
  FLOW_IN_NONE: 14,
  FLOW_IN_XON: 15,
  FLOW_IN_HARDWARE: 16,
  FLOW_DCD: 17,
  FLOW_IN_DTR: 18,
  FLOW_DSR: 19,
} as const;

/** What the bits of a line's state say. */
export const LineState = { OVERRUN: 2, PARITY: 4, FRAMING: 8, BREAK: 16 } as const;

/** Bits of a modem's state; the four below them say that the one four above has changed. */
export const ModemState = { CTS: 16, DSR: 32, RI: 64, CD: 128 } as const;

/** What PURGE-DATA throws away: bits. */
export const Purge = { RECEIVED: 1, TO_SEND: 2 } as const;

/** One command. */
export interface ComPortRequest {
  readonly command: number;
  /** Its number; 0 where it has none. */
  readonly value: number;
  /** Whatever it has, for those that carry text. */
  readonly bytes: Uint8Array;
}

/** Size of the values of commands that have one of their own, in bytes; those with any are not in it. */
const SIZES: Readonly<Record<number, readonly number[]>> = {
  [Command.SET_BAUDRATE]: [4],
  [Command.NOTIFY_LINESTATE]: [0, 1],
  [Command.NOTIFY_MODEMSTATE]: [0, 1],
  [Command.FLOWCONTROL_SUSPEND]: [0],
  [Command.FLOWCONTROL_RESUME]: [0],
};

/** Reads the payload of a subnegotiation; `undefined` if it is no command of a client. */
export function readComPort(payload: Uint8Array): ComPortRequest | undefined {
  const command = payload[0];
  if (command === undefined || command > Command.PURGE_DATA) return undefined;
  const bytes = payload.subarray(1);
  const sizes = SIZES[command] ?? [1];
  if (command !== Command.SIGNATURE && !sizes.includes(bytes.length)) return undefined;
  const value = command === Command.SIGNATURE ? 0 : bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return { command, value, bytes };
}

/** A command as a client writes it. */
export function comPortRequest(command: number, bytes: ArrayLike<number> = []): Uint8Array<ArrayBuffer> {
  return subnegotiation(COM_PORT, [command, ...Array.from(bytes)]);
}

/** The answer to a command, or what a server tells by itself. */
export function comPortAnswer(command: number, bytes: ArrayLike<number> = []): Uint8Array<ArrayBuffer> {
  return comPortRequest(command + 100, bytes);
}

/** A speed as it is sent. */
export function baudBytes(baud: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, baud);
  return bytes;
}

/** The number of a parity. */
export function parityNumber(parity: Parity): number {
  return PARITIES.indexOf(parity) + 1;
}

/** The parity of a number. */
export function parityOf(number: number): Parity | undefined {
  return PARITIES[number - 1];
}

/** The number of a count of stop bits. */
export function stopNumber(stopBits: number): number {
  return stopBits === 1.5 ? 3 : stopBits;
}

/** The stop bits of a number. */
export function stopBitsOf(number: number): number | undefined {
  return [undefined, 1, 2, 1.5][number];
}

const FLOW_NUMBERS: Readonly<Record<Flow, number>> = {
  none: Control.FLOW_NONE,
  xon: Control.FLOW_XON,
  rts: Control.FLOW_HARDWARE,
};

/** The number of flow control in SET-CONTROL: of both ways, or, `inbound`, of the way in. */
export function flowNumber(flow: Flow, inbound = false): number {
  return FLOW_NUMBERS[flow] + (inbound ? Control.FLOW_IN_NONE - Control.FLOW_NONE : 0);
}

/** The flow control of a number of SET-CONTROL; `undefined` if it is none that a line here has. */
export function flowOf(number: number): Flow | undefined {
  return FLOWS.find((flow) => number === flowNumber(flow) || number === flowNumber(flow, true));
}
