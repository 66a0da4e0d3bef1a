/**
 * What can be said of a device on the server.
 *
 * @module
 */

import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import type { DeviceMode } from "../../protocol/v2/wire/messages.ts";
import type { TcpFacts } from "../../net/socket.ts";
import type { BytesOfDay } from "../../relay/link/day_bytes.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import type { ServedService } from "../v2/open_service.ts";
import type { RegisteredDevice } from "../v2/registered_device.ts";

/** A device that was turned away, as it speaks no version of this server. Nothing of it is proved. */
export interface IncompatibleDevice {
  /** The lowest and the highest version that it speaks. */
  readonly versions: readonly [number, number];
  /** Its program, as it said. */
  readonly software: string;
  /** Where it came from. */
  readonly remote: string;
  /** When it came last, by the wall clock, in milliseconds since 1970. */
  readonly at: number;
}

/** Which way a device is between two modes. */
export type ModeChange = "configToRun" | "runToConfig";

/** A device as it is now. Times are milliseconds. */
export interface ServedDevice {
  /** Its name. */
  readonly name: string;
  /** Its public key, as text. */
  readonly key: string;
  /** Whether it has a link. */
  readonly online: boolean;
  /** Whether its session waits for another link. */
  readonly interrupted?: boolean;
  /** Since when, by the wall clock, in milliseconds since 1970; `undefined` if it had none yet. */
  readonly since: number | undefined;
  /** Since when its session is, in the same way; `undefined` if it has none. */
  readonly sessionSince?: number | undefined;
  /** Where it dialled from, if it has one. */
  readonly remote: string | undefined;
  /** `plain` if the link is not encrypted. */
  readonly security: "plain" | "tls" | undefined;
  /**
   * Whether both sides have signed the TLS connection of its link, so that nobody can sit between two of them; `undefined`
   * without a link.
   */
  readonly bound: boolean | undefined;
  /** Its program and version. */
  readonly software: string | undefined;
  /** The lowest and the highest version of the wire that it speaks, as it said. */
  readonly versions?: readonly [number, number] | undefined;
  /** Set if it came last with versions that this server does not speak, and was turned away (seed 002, IsCompatible). */
  readonly incompatible?: IncompatibleDevice;
  /** Its mode. */
  readonly mode: DeviceMode;
  /** Which way it is between two modes (seed 002): clients may finish first, or host ports are still being opened. */
  readonly modeChange: ModeChange | undefined;
  /** Its services that are open, or are to be. */
  readonly services: readonly ServedService[];
  /** Clients that are being served. */
  readonly clients: number;
  /** Its wall clock less the server's. */
  readonly clockOffset: number | undefined;
  /** The last round trip of a PING. */
  readonly roundTrip: number | undefined;
  /** Which two machines use its key, if one of them was turned away within the last minute. */
  readonly conflict: string | undefined;
  /** The longest silence that the server accepts from it. */
  readonly keepAlive: KeepAliveSettings;
  /** The longest silence that it accepts from the server, as it said. */
  readonly deviceKeepAlive: KeepAliveSettings | undefined;
  /** What its links have cost today, over all of them. */
  readonly bytesToday: BytesOfDay;
  /** The same of the day before that was counted, if there was one. */
  readonly bytesBefore: BytesOfDay | undefined;
  /**
   * What the system says of its link's TCP, asked when it is read; `undefined` without a link, and where it cannot be asked.
   */
  readonly tcp: TcpFacts | undefined;
}

/** What is known of a session. */
export function describeDevice(session: RegisteredDevice, incompatible?: IncompatibleDevice): ServedDevice {
  const { link } = session;
  const links = link?.links;
  const { services } = session;
  links?.count();
  return {
    name: session.deviceName,
    key: session.device.key,
    online: links !== undefined && links.interruptedAt === undefined,
    interrupted: links?.interruptedAt !== undefined,
    since: session.since,
    sessionSince: session.sessionSince,
    remote: links?.transport.remote,
    security: links && (links.transport.kind === "tcp" ? "plain" : "tls"),
    bound: links && session.isBound,
    software: session.peer?.software,
    versions: session.peer?.versions,
    ...(incompatible && { incompatible }),
    mode: session.mode,
    modeChange: modeChangeOf(session, services),
    services,
    clients: link?.state.channelCount ?? 0,
    clockOffset: link?.state.clockOffset,
    roundTrip: link?.state.roundTrip,
    conflict: session.conflict,
    keepAlive: session.keepAlive,
    deviceKeepAlive: links?.peerKeepAlive,
    bytesToday: session.bytes.today,
    bytesBefore: session.bytes.before,
    // Asked by whoever wants to know: each answer is a call of the system.
    get tcp() {
      return links && links.interruptedAt === undefined ? links.transport.tcp() : undefined;
    },
  };
}

/** Between two modes is a device that was asked for the other, has clients who may finish, or waits for its host ports. */
function modeChangeOf(
  { settings: { drains }, deviceName, mode, link }: RegisteredDevice,
  services: readonly ServedService[],
): ModeChange | undefined {
  if (mode === "config") return link?.asked === "run" ? "configToRun" : undefined;
  if (mode !== "run") return undefined;
  if (link?.asked === "config" || drains.isLeavingRun(deviceName)) return "runToConfig";
  return services.some(({ open, error }) => !open && error === undefined) ? "configToRun" : undefined;
}

/** What is known of a device that came, and never with a version that would do. */
export function describeIncompatible(
  { name, key }: AuthorizedDevice,
  incompatible: IncompatibleDevice,
  keepAlive: KeepAliveSettings,
): ServedDevice {
  return {
    name,
    key,
    online: false,
    since: undefined,
    remote: undefined,
    security: undefined,
    bound: undefined,
    software: incompatible.software,
    versions: incompatible.versions,
    incompatible,
    mode: "init",
    modeChange: undefined,
    services: [],
    clients: 0,
    clockOffset: undefined,
    roundTrip: undefined,
    conflict: undefined,
    keepAlive,
    deviceKeepAlive: undefined,
    bytesToday: { day: new Date(incompatible.at).toISOString().slice(0, 10), idle: 0, carried: 0 },
    bytesBefore: undefined,
    tcp: undefined,
  };
}
