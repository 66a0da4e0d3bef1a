/**
 * Hearing when the kernel has something for a descriptor, without stopping the event loop for it.
 *
 * @module
 */

import { IS_LITTLE_ENDIAN, libc } from "../../net/kernel/libc.ts";
import type { Engine } from "../../net/socket.ts";
import { POLL_MS } from "../limits.ts";

/** Tells when descriptors can be read. */
export interface Readiness {
  /**
   * Calls `onReadable` again and again as long as there is something to read, an error included.
   *
   * @returns what ends that; the descriptor is to be closed behind it.
   */
  watch(fd: number, onReadable: () => void): Watch;
}

/** A descriptor that is watched. */
export interface Watch {
  /** Ends it. `onReadable` is not called from then on. Resolves when the descriptor may be closed. */
  close(): Promise<void>;
}

const POLLIN = 1;

/** Waits in `poll`, on a thread of the runtime's pool for each descriptor. */
export const pollReadiness: Readiness = {
  watch(fd, onReadable) {
    let closed = false;
    const wait = async () => {
      const calls = libc()!;
      const set = new Uint8Array(8);
      const view = new DataView(set.buffer);
      while (!closed) {
        view.setInt32(0, fd, IS_LITTLE_ENDIAN);
        view.setUint16(4, POLLIN, IS_LITTLE_ENDIAN);
        view.setUint16(6, 0, IS_LITTLE_ENDIAN);
        const count = await calls.poll_aside(set, 1n, POLL_MS);
        if (!closed && count > 0) onReadable();
      }
    };
    const ended = wait();
    return {
      close: () => {
        closed = true;
        return ended;
      },
    };
  },
};

/** By the loop of `engine` where that has one; else by {@linkcode pollReadiness}. */
export function readinessOf(engine: Engine): Readiness {
  if (!engine.watchReadable) return pollReadiness;
  return {
    watch(fd, onReadable) {
      const end = engine.watchReadable!(fd, onReadable);
      return {
        close: () => {
          end();
          return Promise.resolve();
        },
      };
    },
  };
}
