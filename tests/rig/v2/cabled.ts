/**
 * A v2 relay in one process whose link can be cut.
 *
 * @module
 */

import { Cable } from "../cable.ts";
import { startV2Relay, type V2Relay, type V2RelayOptions } from "./relay.ts";

/** A relay through a cable. */
export interface CabledRelay extends V2Relay {
  /** What the link runs through. */
  readonly cable: Cable;
}

/** Starts a relay whose device dials through a cable, and waits until its services are granted. */
export async function startCabled(options: Omit<V2RelayOptions, "through">): Promise<CabledRelay> {
  await using stack = new AsyncDisposableStack();
  let cable: Cable | undefined;
  const through = (server: { readonly port: number }) => (cable = stack.use(new Cable(server.port))).port;
  const relay = stack.use(await startV2Relay({ ...options, through }));
  for (const service of options.services) await relay.hostPort(service.split("=", 1)[0]!);
  const end = stack.move();
  return { ...relay, cable: cable!, [Symbol.asyncDispose]: () => end.disposeAsync() };
}
