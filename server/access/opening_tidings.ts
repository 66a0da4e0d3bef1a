/**
 * What the log and subscribers hear of services that are opened for a time.
 *
 * @module
 */

import type { Logger } from "../../base/logger.ts";
import type { OpeningChange } from "./openings.ts";
import type { ServerEvent } from "../events.ts";

/** Tells of one. */
export function tellOpening(
  { opening, open, closedBy }: OpeningChange,
  logger: Logger,
  emit: (event: ServerEvent) => void,
): void {
  const { device, service, until, from, reason, by } = opening;
  const facts = { device, service, by: by ?? "somebody", reason: reason ?? "none given" };
  if (open) {
    logger.info("{device}/{service} is opened by {by} until {until}, from {from}, reason: {reason}", {
      ...facts,
      until: new Date(until).toISOString(),
      from: from?.join(" ") ?? "anywhere that its rules allow",
    });
    return emit({ type: "service-opened", device, localAddress: service, until, from, reason, by });
  }
  logger.info("{device}/{service}, opened by {by}, is closed by {closedBy}; it was opened for: {reason}", {
    ...facts,
    closedBy: closedBy ?? "the clock",
  });
  emit({ type: "service-closed", device, localAddress: service, by: closedBy, openedBy: by, reason });
}
