/**
 * The structures of a terminal: `termios2`, `serial_icounter_struct`. The same on x86-64 and arm64.
 *
 * @module
 */

import { IS_LITTLE_ENDIAN } from "../../net/kernel/libc.ts";
import type { Flow, LineSettings, Parity } from "../settings.ts";
import type { LineErrors, ModemLines } from "./line.ts";

/** Size of `struct termios2`, in bytes: iflag, oflag, cflag, lflag, line, cc[19], ispeed, ospeed. */
export const TERMIOS_SIZE = 44;
/** Size of `struct serial_icounter_struct`, in bytes. */
export const COUNTERS_SIZE = 80;

/** Requests of ioctl(2). */
export const Ioctl = {
  TCGETS2: 0x802c_542an,
  TCSETS2: 0x402c_542bn,
  TCFLSH: 0x540bn,
  TIOCEXCL: 0x540cn,
  TIOCNXCL: 0x540dn,
  TIOCOUTQ: 0x5411n,
  TIOCMGET: 0x5415n,
  TIOCMBIS: 0x5416n,
  TIOCMBIC: 0x5417n,
  TIOCSBRK: 0x5427n,
  TIOCCBRK: 0x5428n,
  TIOCGICOUNT: 0x545dn,
} as const;

/** Lines of a modem. */
export const Modem = { DTR: 0x002, RTS: 0x004, CTS: 0x020, CD: 0x040, RI: 0x080, DSR: 0x100 } as const;

const [IFLAG, OFLAG, CFLAG, LFLAG, CC, ISPEED, OSPEED] = [0, 4, 8, 12, 17, 36, 40];
const [VTIME, VMIN, VSTART, VSTOP] = [CC + 5, CC + 6, CC + 8, CC + 9];

const IGNBRK = 0x1;
const IXON = 0x400;
const IXOFF = 0x1000;
const CSIZE = 0x30;
const CSTOPB = 0x40;
const CREAD = 0x80;
const PARENB = 0x100;
const PARODD = 0x200;
const HUPCL = 0x400;
const CLOCAL = 0x800;
const CMSPAR = 0x4000_0000;
const CRTSCTS = 0x8000_0000;
const CBAUD = 0x100f;
const BOTHER = 0x1000;
const IN = 16; // the way in has its speed so far up

/** Speeds that have a number of their own, which programs with the older calls read. */
const SPEEDS = new Map([
  ...[50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19_200, 38_400].map((baud, at) =>
    [baud, at + 1] as const
  ),
  ...[57_600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000].map(
    (baud, at) => [baud, 0x1001 + at] as const,
  ),
  ...[2_500_000, 3_000_000, 3_500_000, 4_000_000].map((baud, at) => [baud, 0x100c + at] as const),
]);

const PARITY_FLAGS: Readonly<Record<Parity, number>> = {
  none: 0,
  odd: PARENB | PARODD,
  even: PARENB,
  mark: PARENB | PARODD | CMSPAR,
  space: PARENB | CMSPAR,
};

/** Changes the structure of a line: raw (no echo, no lines, no signals), and set so. */
export function writeSettings(termios: Uint8Array<ArrayBuffer>, settings: LineSettings): void {
  const { baud, dataBits, parity, stopBits, flow } = settings;
  const view = new DataView(termios.buffer);
  const speed = SPEEDS.get(baud) ?? BOTHER;
  const kept = view.getUint32(CFLAG, IS_LITTLE_ENDIAN) & HUPCL;
  const cflag = kept | CREAD | CLOCAL | speed | (speed << IN) | ((dataBits - 5) << 4) | PARITY_FLAGS[parity] |
    (stopBits === 1 ? 0 : CSTOPB) | (flow === "rts" ? CRTSCTS : 0);
  view.setUint32(IFLAG, IGNBRK | (flow === "xon" ? IXON | IXOFF : 0), IS_LITTLE_ENDIAN);
  view.setUint32(OFLAG, 0, IS_LITTLE_ENDIAN);
  view.setUint32(CFLAG, cflag >>> 0, IS_LITTLE_ENDIAN);
  view.setUint32(LFLAG, 0, IS_LITTLE_ENDIAN);
  termios[VTIME] = 0;
  termios[VMIN] = 1;
  termios[VSTART] = 0x11;
  termios[VSTOP] = 0x13;
  view.setUint32(ISPEED, baud, IS_LITTLE_ENDIAN);
  view.setUint32(OSPEED, baud, IS_LITTLE_ENDIAN);
}

/** How the structure says that a line is set. */
export function readSettings(termios: Uint8Array<ArrayBuffer>): LineSettings {
  const view = new DataView(termios.buffer);
  const iflag = view.getUint32(IFLAG, IS_LITTLE_ENDIAN);
  const cflag = view.getUint32(CFLAG, IS_LITTLE_ENDIAN);
  const dataBits = 5 + ((cflag & CSIZE) >>> 4);
  const flow: Flow = cflag & CRTSCTS ? "rts" : iflag & IXON ? "xon" : "none";
  const stopBits = !(cflag & CSTOPB) ? 1 : dataBits === 5 ? 1.5 : 2;
  return { baud: baudOf(view, cflag), dataBits, parity: parityOf(cflag), stopBits, flow };
}

function baudOf(view: DataView, cflag: number): number {
  const speed = cflag & CBAUD;
  for (const [baud, number] of SPEEDS) if (number === speed) return baud;
  return view.getUint32(OSPEED, IS_LITTLE_ENDIAN);
}

function parityOf(cflag: number): Parity {
  if (!(cflag & PARENB)) return "none";
  if (cflag & CMSPAR) return cflag & PARODD ? "mark" : "space";
  return cflag & PARODD ? "odd" : "even";
}

/** The modem's lines of a number of `TIOCMGET`. */
export function readModem(bits: number): ModemLines {
  const has = (bit: number) => (bits & bit) !== 0;
  const { CTS, DSR, RI, CD, DTR, RTS } = Modem;
  return { cts: has(CTS), dsr: has(DSR), ri: has(RI), cd: has(CD), dtr: has(DTR), rts: has(RTS) };
}

/** The errors in `struct serial_icounter_struct`. */
export function readErrors(counters: Uint8Array<ArrayBuffer>): LineErrors {
  const view = new DataView(counters.buffer);
  const at = (index: number) => view.getInt32(4 * index, IS_LITTLE_ENDIAN);
  return { framing: at(6), overrun: at(7), parity: at(8), breaks: at(9) };
}
