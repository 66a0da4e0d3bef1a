/**
 * What can be said of a device on the server.
 *
 * @module
 */

import type { KeepAliveSettings } from "../protocol/keep_alive.ts";
import type { DeviceMode } from "../protocol/v2_messages.ts";
import type { DeviceSession } from "./device_session.ts";

/** A device as it is now. Times are milliseconds. */
export interface DeviceStatus {
  /** Its name. */
  readonly name: string;
  /** Whether it has a link. */
  readonly online: boolean;
  /** Where it dialled from, if it has one. */
  readonly remote: string | undefined;
  /** `plain` if the link is not encrypted. */
  readonly security: "plain" | "tls" | undefined;
  /** Its program and version. */
  readonly software: string | undefined;
  /** Its mode. */
  readonly mode: DeviceMode;
  /** Its services that are open. */
  readonly services: readonly { readonly name: string; readonly hostAddress: string; readonly open: boolean }[];
  /** Which two machines have its key, if it came to that. */
  readonly duplicate: string | undefined;
  /** Clients that are being served. */
  readonly clients: number;
  /** Its wall clock less the server's. */
  readonly clockOffset: number | undefined;
  /** The last round trip of a PING. */
  readonly roundTrip: number | undefined;
  /** Which two machines use its key, if one of them was turned away within the last minute. */
  readonly conflict: string | undefined;
  /** Silence that the server suffers of it. */
  readonly keepAlive: KeepAliveSettings;
  /** Silence that it suffers of the server, as it said. */
  readonly deviceKeepAlive: KeepAliveSettings | undefined;
}

/** What is known of a session. */
export function describeDevice(session: DeviceSession): DeviceStatus {
  const { link } = session;
  return {
    name: session.deviceName,
    online: link !== undefined,
    remote: link?.remote,
    security: link && (link.transport === "tcp" ? "plain" : "tls"),
    software: session.software,
    mode: session.mode,
    services: session.services,
    duplicate: session.duplicate,
    clients: link?.clients ?? 0,
    clockOffset: link?.clockOffset,
    roundTrip: link?.roundTrip,
    conflict: session.conflict,
    keepAlive: session.keepAlive,
    deviceKeepAlive: link?.peerKeepAlive,
  };
}
