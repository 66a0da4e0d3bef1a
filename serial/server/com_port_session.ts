/**
 * What a client of RFC 2217 asks of a line, and what it is told by itself.
 *
 * @module
 */

import {
  baudBytes,
  Command,
  comPortAnswer,
  type ComPortRequest,
  Control,
  flowNumber,
  flowOf,
  LineState,
  ModemState,
  parityNumber,
  parityOf,
  Purge,
  stopBitsOf,
  stopNumber,
} from "../rfc2217/com_port.ts";
import { MAX_BAUD, MIN_BAUD } from "../limits.ts";
import type { LineErrors, ModemLines } from "../line/line.ts";
import { isFrame, type LineSettings } from "../settings.ts";
import type { LineHub } from "./hub.ts";

/** What a client does with its line; a watcher's requests change nothing. */
export interface SessionHost {
  readonly hub: LineHub;
  readonly isUser: boolean;
  /** Throws away what waits for the client. */
  dropWaiting(): void;
}

const SIGNATURE = new TextEncoder().encode("Sallyport");

/** Requests that change a line: they wait until what was sent before them has been written. */
const IN_ORDER: readonly number[] = [
  Command.SET_BAUDRATE,
  Command.SET_DATASIZE,
  Command.SET_PARITY,
  Command.SET_STOPSIZE,
  Command.SET_CONTROL,
];

/** Whether a request has to wait for what was sent before it. */
export function isInOrder({ command }: ComPortRequest): boolean {
  return IN_ORDER.includes(command);
}

/** One client's view of its line. */
export class ComPortSession {
  /** Whether the client takes no data for now. */
  isSuspended = false;
  readonly #host: SessionHost;
  #modemMask = 255; // RFC 2217's default
  #lineMask = 0;
  #modem: number | undefined; // as it was told last
  #errors: LineErrors | undefined;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** Whether it wants to hear of the modem's lines or of errors. */
  get wantsState(): boolean {
    return this.#modemMask !== 0 || this.#lineMask !== 0;
  }

  /** Does what is asked. @returns the answer; `undefined`: there is none. */
  answer({ command, value }: ComPortRequest): Uint8Array | undefined {
    const { hub } = this.#host;
    switch (command) {
      case Command.SIGNATURE:
        return comPortAnswer(command, SIGNATURE);
      case Command.SET_BAUDRATE: {
        const { baud } = value >= MIN_BAUD && value <= MAX_BAUD ? this.#set({ baud: value }) : hub.settings;
        return comPortAnswer(command, baudBytes(baud));
      }
      case Command.SET_DATASIZE:
        return comPortAnswer(command, [this.#setFrame({ dataBits: value >= 5 && value <= 8 ? value : 0 }).dataBits]);
      case Command.SET_PARITY: {
        const parity = parityOf(value);
        return comPortAnswer(command, [parityNumber((parity ? this.#set({ parity }) : hub.settings).parity)]);
      }
      case Command.SET_STOPSIZE:
        return comPortAnswer(command, [stopNumber(this.#setFrame({ stopBits: stopBitsOf(value) ?? 0 }).stopBits)]);
      case Command.SET_CONTROL:
        return comPortAnswer(command, [this.#control(value)]);
      case Command.NOTIFY_LINESTATE:
        return comPortAnswer(command, [0]);
      case Command.NOTIFY_MODEMSTATE:
        return comPortAnswer(command, [this.#modem = stateOf(hub.modem())]);
      case Command.FLOWCONTROL_SUSPEND:
      case Command.FLOWCONTROL_RESUME:
        this.isSuspended = command === Command.FLOWCONTROL_SUSPEND;
        return undefined;
      case Command.SET_LINESTATE_MASK:
        this.#lineMask = value;
        this.#errors = hub.errors();
        return comPortAnswer(command, [value]);
      case Command.SET_MODEMSTATE_MASK:
        this.#modemMask = value;
        return comPortAnswer(command, [value]);
      case Command.PURGE_DATA:
        if ((value & Purge.RECEIVED) !== 0) this.#host.dropWaiting();
        if (this.#host.isUser) hub.purge((value & Purge.RECEIVED) !== 0, (value & Purge.TO_SEND) !== 0);
        return comPortAnswer(command, [value]);
      default:
        return undefined;
    }
  }

  /** @returns what the client is to hear of the modem's lines and of errors; all of it the first time. */
  news(modem: ModemLines, errors: LineErrors | undefined): Uint8Array[] {
    const said: Uint8Array[] = [];
    const now = stateOf(modem);
    const isFirst = this.#modem === undefined;
    const changed = isFirst ? 0 : now ^ this.#modem!;
    const { CTS, DSR, RI, CD } = ModemState;
    // Of a ring its end counts, of all others each change.
    const edges = (changed & (CTS | DSR | CD)) | (changed & RI & ~now);
    this.#modem = now;
    if (isFirst || ((changed | (edges >> 4)) & this.#modemMask) !== 0) {
      said.push(comPortAnswer(Command.NOTIFY_MODEMSTATE, [(now | (edges >> 4)) & this.#modemMask]));
    }
    const trouble = this.#lineMask & troubleSince(this.#errors, errors);
    this.#errors = errors;
    if (trouble !== 0) said.push(comPortAnswer(Command.NOTIFY_LINESTATE, [trouble]));
    return said;
  }

  #set(change: Partial<LineSettings>): LineSettings {
    const { hub, isUser } = this.#host;
    return isUser ? hub.set(change) : hub.settings;
  }

  /** A count of 0 only asks. Stop bits that the new data bits do not have become those that they have. */
  #setFrame(change: { dataBits?: number; stopBits?: number }): LineSettings {
    const { settings } = this.#host.hub;
    if (change.dataBits === 0 || change.stopBits === 0) return settings;
    const frame = { ...settings, ...change };
    if (isFrame(frame)) return this.#set(change);
    return change.dataBits === undefined
      ? settings
      : this.#set({ ...change, stopBits: frame.dataBits === 5 ? 1.5 : 2 });
  }

  /** @returns the number that says how it is now. */
  #control(value: number): number {
    const { hub, isUser } = this.#host;
    const flow = flowOf(value);
    if (flow !== undefined && isUser) hub.set({ flow });
    if (isUser) {
      switch (value) {
        case Control.BREAK_ON:
        case Control.BREAK_OFF:
          hub.setBreak(value === Control.BREAK_ON);
          break;
        case Control.DTR_ON:
        case Control.DTR_OFF:
          hub.setModem("dtr", value === Control.DTR_ON);
          break;
        case Control.RTS_ON:
        case Control.RTS_OFF:
          hub.setModem("rts", value === Control.RTS_ON);
          break;
      }
    }
    if (value >= Control.ASK_BREAK && value <= Control.BREAK_OFF) {
      return hub.isBroken ? Control.BREAK_ON : Control.BREAK_OFF;
    }
    if (value >= Control.ASK_DTR && value <= Control.DTR_OFF) {
      return hub.modem().dtr ? Control.DTR_ON : Control.DTR_OFF;
    }
    if (value >= Control.ASK_RTS && value <= Control.RTS_OFF) {
      return hub.modem().rts ? Control.RTS_ON : Control.RTS_OFF;
    }
    const isInbound = (value >= Control.ASK_FLOW_IN && value <= Control.FLOW_IN_HARDWARE) ||
      value === Control.FLOW_IN_DTR;
    return flowNumber(hub.settings.flow, isInbound);
  }
}

function stateOf({ cts, dsr, ri, cd }: ModemLines): number {
  const { CTS, DSR, RI, CD } = ModemState;
  return (cts ? CTS : 0) | (dsr ? DSR : 0) | (ri ? RI : 0) | (cd ? CD : 0);
}

function troubleSince(before: LineErrors | undefined, now: LineErrors | undefined): number {
  if (!before || !now) return 0;
  return (now.overrun !== before.overrun ? LineState.OVERRUN : 0) |
    (now.parity !== before.parity ? LineState.PARITY : 0) |
    (now.framing !== before.framing ? LineState.FRAMING : 0) |
    (now.breaks !== before.breaks ? LineState.BREAK : 0);
}
