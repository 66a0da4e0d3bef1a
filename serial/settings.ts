/**
 * How a serial line is set, as people write it: `115200 8n1`.
 *
 * @module
 */

/** Parities. */
export const PARITIES = ["none", "odd", "even", "mark", "space"] as const;
/** What the parity bit is. */
export type Parity = (typeof PARITIES)[number];

/** Ways of flow control: none, by the lines RTS and CTS, by the characters XON and XOFF. */
export const FLOWS = ["none", "rts", "xon"] as const;
/** How either side stops the other. */
export type Flow = (typeof FLOWS)[number];

/** How a line is set. */
export interface LineSettings {
  /** Bits per second. */
  readonly baud: number;
  /** Bits of a character: 5 to 8. */
  readonly dataBits: number;
  /** The parity bit. */
  readonly parity: Parity;
  /** 1, 2, or, with 5 data bits, 1.5. */
  readonly stopBits: number;
  /** How either side stops the other. */
  readonly flow: Flow;
}

/** The default: 115200 bits per second, 8 data bits, no parity, 1 stop bit, no flow control. */
export const USUAL_SETTINGS: LineSettings = { baud: 115_200, dataBits: 8, parity: "none", stopBits: 1, flow: "none" };

/** The form of a character as in `8n1` or `7E2`; `undefined` if it is none. */
export function parseFrame(text: string): Pick<LineSettings, "dataBits" | "parity" | "stopBits"> | undefined {
  const [, data, letter, stop] = /^([5-8])([noems])(1|1\.5|2)$/.exec(text.toLowerCase()) ?? [];
  const parity = PARITIES.find((name) => name[0] === letter);
  if (data === undefined || parity === undefined) return undefined;
  const settings = { dataBits: Number(data), parity, stopBits: Number(stop) };
  return isFrame(settings) ? settings : undefined;
}

/** Whether there are such characters: 5 data bits have 1 or 1.5 stop bits, others 1 or 2. */
export function isFrame({ dataBits, stopBits }: Pick<LineSettings, "dataBits" | "stopBits">): boolean {
  return stopBits === 1 || stopBits === (dataBits === 5 ? 1.5 : 2);
}

/** Settings for people, as in `115200 8n1` or `9600 7e1 flow=rts`. */
export function formatSettings({ baud, dataBits, parity, stopBits, flow }: LineSettings): string {
  return `${baud} ${dataBits}${parity[0]}${stopBits}${flow === "none" ? "" : ` flow=${flow}`}`;
}
