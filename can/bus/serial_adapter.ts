/**
 * A serial adapter as bytes both ways: a line of its own, for this process alone.
 *
 * @module
 */

import type { Duplex } from "../../net/socket.ts";
import { SerialError, type SerialLine } from "../../serial/line/line.ts";
import { openTty, type TtyMachine } from "../../serial/line/tty.ts";
import { USUAL_SETTINGS } from "../../serial/settings.ts";
import { BusError } from "./bus.ts";

/**
 * What opens the adapter at `path`, raw and with 8 data bits, without parity. One that is still being closed is waited for:
 * its last words are under way, and nobody else may have it until they are out.
 *
 * @returns what throws a {@linkcode BusError} with one line for people.
 */
export function serialAdapter(path: string, baud: number, machine: TtyMachine): () => Promise<Duplex> {
  let closed: Promise<void> | undefined;
  return async () => {
    await closed;
    const line = open(path, baud, machine);
    const { promise, resolve } = Promise.withResolvers<void>();
    closed = promise;
    return {
      read: (into) => line.read(into),
      write: (bytes) => line.write(bytes),
      closeWrite: () => Promise.resolve(), // a serial line has no end of one way
      close: () => void line.close().then(resolve),
    };
  };
}

function open(path: string, baud: number, machine: TtyMachine): SerialLine {
  try {
    return openTty(path, { ...USUAL_SETTINGS, baud }, "alone", machine);
  } catch (cause) {
    if (!(cause instanceof SerialError)) throw cause;
    throw new BusError(cause.message, { cause, isLacking: cause.isLacking });
  }
}
