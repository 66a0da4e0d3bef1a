/**
 * Buses in the process: what one end sends, all others of the same name see.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { at } from "../frame.ts";
import type { Backend, BusListener } from "./bus.ts";

const buses = new Map<string, Set<BusListener>>();

/** An end of the bus of that name; it is there as long as anybody has it open. */
export function virtualBackend(name: string, clock: Clock): Backend {
  return {
    name,
    takesBitrate: false,
    open: (_settings, listener) => {
      const ends = buses.get(name) ?? new Set();
      buses.set(name, ends.add(listener));
      return Promise.resolve({
        send: (frame) => {
          const stamped = at(frame, clock.wall() / 1000);
          for (const end of ends) if (end !== listener) end.frame(stamped);
          return true;
        },
        close: () => {
          ends.delete(listener);
          if (ends.size === 0 && buses.get(name) === ends) buses.delete(name);
        },
      });
    },
  };
}
