/**
 * What a server says of a v2 device's links: a line for the log and an event for subscribers, each time.
 *
 * @module
 */

import { formatDuration } from "../../base/format.ts";
import type { BytesOfDay } from "../../relay/link/day_bytes.ts";
import { type LinkEnd, linkEndLevel } from "../../relay/link/end.ts";
import type { Transport } from "../../net/transport.ts";
import type { ServerEvent } from "../events.ts";
import type { ServerSettings } from "../options.ts";

/** Whose link it is, and who hears of it. */
export interface Teller {
  readonly deviceName: string;
  readonly settings: ServerSettings;
  emit(event: ServerEvent): void;
}

/** How a session went on. */
export interface ResumptionFacts {
  /** Milliseconds without a link. */
  readonly interrupted: number;
  /** Bytes that were sent again. */
  readonly replayed: number;
  /** Whether it moved from a link that was still up on both sides. */
  readonly moved: boolean;
  /** Clients that are being served. */
  readonly clients: number;
}

/** There is a link, of a new session. `software`: the device's program, as it said. */
export function tellUp(teller: Teller, { local: listen, remote, kind }: Transport, software: string): void {
  const { deviceName: device, settings: { logger } } = teller;
  logger.info("link up: device {device} from {remote}, {transport}", { device, remote, transport: kind, software });
  teller.emit({ type: "link-up", listen, device, remote });
}

/** There is a link, of a session that goes on. */
export function tellResumed(
  teller: Teller,
  { local: listen, remote }: Transport,
  { interrupted, replayed, moved, clients }: ResumptionFacts,
): void {
  const facts = { device: teller.deviceName, remote, interrupted, replayed, ...(moved && { moved }) };
  const how = moved ? "has moved, now from {remote}" : "from {remote}, after {interrupted} ms";
  const whom = clients === 1 ? "client" : "clients";
  const line = `link resumed: device {device} ${how}, {replayed} B sent again, {clients} ${whom}`;
  teller.settings.logger.info(line, { ...facts, clients });
  teller.emit({ type: "link-resumed", listen, ...facts });
}

/** The link is down, and its session with its `clients` waits for another, for `expiration` milliseconds. */
export function tellInterrupted(
  teller: Teller,
  { local: listen, remote }: Transport,
  clients: number,
  { reason, detail }: LinkEnd,
  expiration: number,
): void {
  const facts = { device: teller.deviceName, remote, reason, detail, clients, expiration };
  teller.settings.logger.warn(
    `link interrupted: device {device} from {remote}, {reason}${detail ? " ({detail})" : ""}; ` +
      `{clients} ${clients === 1 ? "client is" : "clients are"} kept for ${formatDuration(expiration)}`,
    facts,
  );
  teller.emit({ type: "link-interrupted", listen, ...facts });
}

/** The session is over, `duration` milliseconds after it began; `interrupted`: it waited, and that was told. */
export function tellDown(
  teller: Teller,
  { local: listen, remote }: Transport,
  { reason, detail, clients }: LinkEnd,
  duration: number,
  interrupted: boolean,
): void {
  const { logger } = teller.settings;
  const facts = { device: teller.deviceName, remote, reason, detail, clients, duration };
  const line = `link down: device {device} from {remote}, {reason}${detail ? " ({detail})" : ""}`;
  logger[linkEndLevel(reason)](line, facts);
  teller.emit({ type: "link-down", listen, ...facts, ...(interrupted && { interrupted }) });
}

/** The links of a device have cost more than they had better, for the first time today. */
export function tellBytes(
  { deviceName: device, settings }: Teller,
  { day, idle, carried }: BytesOfDay,
  limit: number,
): void {
  const facts = { device, day, idle, carried, limit };
  settings.logger.warn(
    "device {device} has used more than {limit} bytes on {day} (UTC): {idle} while idle, {carried} with clients",
    facts,
  );
}
