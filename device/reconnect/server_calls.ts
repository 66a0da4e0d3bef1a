/**
 * What programs hear of the connection to the server, and what becomes of calls that need it (seed 002).
 *
 * @module
 */

import type { Goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { ConnectionLostError, IncompatibleError, quietly } from "../../relay/peer_errors.ts";
import type { DeviceConnectionEvent, DeviceConnectionLostEvent, DeviceEvent } from "../events.ts";

/** Tells `subscriber` of new connections alone. */
export function connections(subscriber: (event: DeviceConnectionEvent) => void): (event: DeviceEvent) => void {
  return (event) => {
    if (event.type === "online" || event.type === "resumed") subscriber(event);
    if (event.type === "dial-failed" && event.goodbye === "incompatible") subscriber(event);
  };
}

/** Tells `subscriber` of losses alone, of each once. */
export function losses(subscriber: (event: DeviceConnectionLostEvent) => void): (event: DeviceEvent) => void {
  return (event) => {
    if (event.type === "interrupted" || event.type === "lost" && !event.interrupted) subscriber(event);
  };
}

/** What a call gives that needs the server at `server`, when it is not there; `isCompatible` and `goodbye` as it was last. */
export function withoutServer(
  server: string,
  isCompatible: boolean | undefined,
  goodbye: Goodbye | undefined,
): Promise<void> {
  const who = `the server ${server}`;
  return quietly(Promise.reject(
    isCompatible === false ? new IncompatibleError(who, goodbye?.versions) : new ConnectionLostError(who),
  ));
}
