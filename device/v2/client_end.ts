/**
 * The end of a client's channel on a v2 device, as the log and subscribers hear of it.
 *
 * @module
 */

import type { ChannelSummary } from "../../relay/channel_end.ts";
import type { Logger } from "../../base/logger.ts";
import type { ChannelEndEvent, DeviceEvent } from "../events.ts";

/** Who hears of it. */
export interface ClientEndAudience {
  /** Where it is logged. */
  readonly settings: { readonly logger: Logger };
  emit(event: DeviceEvent): void;
}

/** Whose channel it was, and why its service could not be reached, if so. */
export type EndedClient = Pick<ChannelEndEvent, "id" | "client" | "service" | "error"> & {
  /** The service's address on the device's side. */
  readonly localAddress: string;
};

/** Logs the end, and tells subscribers. */
export function tellClientEnd(audience: ClientEndAudience, client: EndedClient, summary: ChannelSummary): void {
  const facts = {
    ...client,
    reason: summary.reason,
    bytesUp: summary.bytesReceived,
    bytesDown: summary.bytesSent,
    duration: Math.round(summary.duration),
  };
  const { logger } = audience.settings;
  if (client.error !== undefined) {
    const what = client.service === "" ? "cannot be served" : "cannot reach {service}";
    logger.warn(`client {client} ${what}: {reason} ({error})`, facts);
  } else {
    const line = "client {client} of {service} ended: {reason}, {bytesUp} B up, {bytesDown} B down, {duration} ms";
    logger.info(line, facts);
  }
  audience.emit({ type: "channel-end", ...facts });
}
