/**
 * The runtime's HTTP server behind a gate: at a place that the gate alone knows.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { spotOf } from "../../files/spot.ts";
import { Gate } from "./gate.ts";
import { asOwner, hiddenPlace } from "./socket_file.ts";

/** What is served, and where. */
export interface GatedOptions {
  /** Where callers come; it is closed at the end, and if it cannot be served. */
  readonly listener: Deno.Listener<Deno.Conn>;
  /** The folder of the state, in which the place is made. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Answers a request. */
  readonly handler: (request: Request) => Response | Promise<Response>;
}

/**
 * Serves.
 *
 * @returns what ends it at once, with all that is open.
 * @throws {ConfigError} if there is no place to be had.
 */
export async function serveBehindGate(options: GatedOptions): Promise<() => Promise<void>> {
  const { listener, folder, clock, logger, handler } = options;
  let place;
  try {
    place = await hiddenPlace(folder);
  } catch (error) {
    listener.close();
    throw error;
  }
  const { path, remove } = place;
  const inner = asOwner(spotOf(path), () => Deno.serve({ path, onListen: () => {}, handler }));
  const gate = new Gate({ listener, dial: () => Deno.connect({ transport: "unix", path }), clock, logger });
  return async () => {
    await gate.close();
    await inner.shutdown();
    remove();
  };
}
