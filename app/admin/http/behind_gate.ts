/**
 * The runtime's HTTP server behind a gate: at a place that the gate alone knows.
 *
 * @module
 */

import type { Address } from "../../../protocol/address.ts";
import { ListenError } from "../../../net/listener.ts";
import { spotOf } from "../../files/spot.ts";
import { Gate, type GateOptions } from "./gate.ts";
import { asOwner, hiddenPlace } from "./socket_file.ts";

/** What is served, and where. */
export interface GatedOptions extends Omit<GateOptions, "dial"> {
  /** The folder of the state, in which the place is made. */
  readonly folder: string;
  /** Answers a request. */
  readonly handler: (request: Request) => Response | Promise<Response>;
}

/**
 * Serves; the listener is closed at the end, and if that cannot be.
 *
 * @returns what ends it at once, with all that is open.
 * @throws {ConfigError} if there is no place to be had.
 */
export async function serveBehindGate(options: GatedOptions): Promise<() => Promise<void>> {
  const { listener, folder, handler } = options;
  let place;
  try {
    place = await hiddenPlace(folder);
  } catch (error) {
    listener.close();
    throw error;
  }
  const { path, remove } = place;
  const inner = asOwner(spotOf(path), () => Deno.serve({ path, onListen: () => {}, handler }));
  const gate = new Gate({ ...options, dial: () => Deno.connect({ transport: "unix", path }) });
  return async () => {
    await gate.close();
    await inner.shutdown();
    remove();
  };
}

/** Listens by TCP. @throws {ListenError} if the address cannot be had. */
export function listenTcp(address: Address): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address.host, port: address.port });
  } catch (error) {
    throw new ListenError(address, error);
  }
}
