/**
 * A CAN bus as the service sees it, whatever carries it.
 *
 * @module
 */

import type { CanFrame } from "../frame.ts";

/** Who hears of a bus. */
export interface BusListener {
  /** A frame that others have sent, with the time at which the bus had it. */
  frame(frame: CanFrame): void;
  /** Something is wrong. `gone`: nothing more will come, and the bus is to be closed. */
  trouble(why: string, gone: boolean): void;
}

/** A bus that is open. */
export interface Bus {
  /**
   * Sends a frame.
   *
   * @returns whether there was room for it; if not, it may be tried again.
   * @throws {BusError} if it cannot go out.
   */
  send(frame: CanFrame): boolean;
  /** Lets go of it; nothing is told from then on. Idempotent. */
  close(): void;
}

/** How a bus is to be opened. */
export interface BusSettings {
  /** Bits per second, where the bus can be told; `undefined`: as it is. */
  readonly bitrate: number | undefined;
  /** Whether nothing is ever sent: the bus does not even acknowledge, where it can be told. */
  readonly listenOnly: boolean;
  /** Whether it has to have CAN FD. */
  readonly fd: boolean;
}

/** What opens a bus. */
export interface Backend {
  /** What people call it, as in `can0`. */
  readonly name: string;
  /** Whether the bitrate is ours to say. */
  readonly takesBitrate: boolean;
  /** Opens it. @throws {BusError} with one line for people. */
  open(settings: BusSettings, listener: BusListener): Promise<Bus>;
}

/** A bus cannot be opened, or does not take a frame; the message is for people. */
export class BusError extends Error {
  /** Tells it from others. */
  override readonly name = "BusError";
  /** Whether this machine lacks what every such bus needs: trying again does not mend it. */
  readonly isLacking: boolean;

  /** With what would do. */
  constructor(
    message: string,
    { isLacking = false, ...options }: ErrorOptions & { readonly isLacking?: boolean } = {},
  ) {
    super(message, options);
    this.isLacking = isLacking;
  }
}
