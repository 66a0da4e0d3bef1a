/**
 * What a serial line is to whoever shares it.
 *
 * @module
 */

import type { Duplex } from "../../net/socket.ts";
import type { LineSettings } from "../settings.ts";

/** A line cannot be had, or is gone; `message` is one line for people, with what would do. */
export class SerialError extends Error {
  override readonly name = "SerialError";
  /** As of a service that refuses a connection, if it is busy. */
  readonly code: "ECONNREFUSED" | undefined;
  /** Whether another client or program has it. */
  readonly isBusy: boolean;
  /** Whether this machine cannot have any, whatever is plugged in. */
  readonly isLacking: boolean;

  constructor(
    message: string,
    { isBusy = false, isLacking = false, ...options }: ErrorOptions & { isBusy?: boolean; isLacking?: boolean } = {},
  ) {
    super(message, options);
    this.code = isBusy ? "ECONNREFUSED" : undefined;
    this.isBusy = isBusy;
    this.isLacking = isLacking;
  }
}

/** The modem's lines: what the other side says, and what this side does. */
export interface ModemLines {
  /** The other side may be sent to. */
  readonly cts: boolean;
  /** It is there. */
  readonly dsr: boolean;
  /** It rings. */
  readonly ri: boolean;
  /** It has a carrier. */
  readonly cd: boolean;
  /** This side is there. */
  readonly dtr: boolean;
  /** This side may be sent to. */
  readonly rts: boolean;
}

/** Errors since the line was opened, in number. */
export interface LineErrors {
  readonly framing: number;
  readonly overrun: number;
  readonly parity: number;
  readonly breaks: number;
}

/** A line that is open: bytes both ways, `null` at its end. What its driver cannot do is not done. */
export interface SerialLine extends Pick<Duplex, "read" | "write"> {
  /** How it is set. */
  readonly settings: LineSettings;
  /** Sets it. @returns how it is set then. @throws {SerialError} if it takes nothing of it. */
  set(settings: LineSettings): LineSettings;
  /** Begins or ends a break. */
  setBreak(on: boolean): void;
  /** Sets one of the lines of this side. */
  setModem(which: "dtr" | "rts", on: boolean): void;
  /** The modem's lines; `undefined` where there are none. */
  modem(): ModemLines | undefined;
  /** Errors; `undefined` where nobody counts them. */
  errors(): LineErrors | undefined;
  /** Throws away what the system has received, or what it has still to send. */
  purge(received: boolean, toSend: boolean): void;
  /** Sends what it was given, as long as that does not take too long; then sets it as it was, and closes it. */
  close(): Promise<void>;
  /** Closes it at once. Idempotent. */
  cut(): void;
}

/** Opens a line. @throws {SerialError} */
export type LineOpener = (settings: LineSettings) => SerialLine;
