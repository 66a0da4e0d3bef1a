/**
 * The end of a client's connection on the server, as the log and subscribers hear of it.
 *
 * @module
 */

import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { ChannelSummary } from "../../relay/channel_end.ts";
import type { ClientEndEvent } from "../events.ts";
import type { HostPortOwner } from "./host_port.ts";

/** Whose connection it was, and what the device said. */
export type EndedClient = Pick<ClientEndEvent, "client" | "hostAddress" | "localAddress" | "device" | "error">;

const WARN: ReadonlySet<ChannelEndReason> = new Set([
  "too-many-channels",
  "stalled",
  "not-allowed",
  "too-many-clients",
  "client-rate",
  "outside-hours",
]);

/** Logs the end, and tells subscribers. */
export function tellClientEnd(owner: HostPortOwner, client: EndedClient, summary: ChannelSummary): void {
  const facts = {
    ...client,
    reason: summary.reason,
    bytesUp: summary.bytesSent,
    bytesDown: summary.bytesReceived,
    duration: Math.round(summary.duration),
  };
  const { logger } = owner.settings;
  const service = client.device === undefined ? "{localAddress}" : "{device}/{localAddress}";
  const why = client.error ? "{reason} ({error})" : "{reason}";
  const line =
    `client {client} of {hostAddress} for ${service} ended: ${why}, {bytesUp} B up, {bytesDown} B down, {duration} ms`;
  if (WARN.has(summary.reason)) logger.warn(line, facts);
  else if (summary.reason === "server-limit") logger.debug(line, facts); // the limit has its own line, for all of them
  else logger.info(line, facts);
  owner.emit({ type: "client-end", ...facts });
}
