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
  const { device, service, until, to, from, reason, by } = opening;
  const facts = { device, service, by: by ?? "somebody", reason: reason ?? "none given" };
  if (open) {
    const what = to === undefined ? "{device}/{service} is" : "{device}/{service}, which is {to} there, is";
    logger.info(`${what} opened by {by} until {until}, from {from}, reason: {reason}`, {
      ...facts,
      ...(to !== undefined && { to }),
      until: new Date(until).toISOString(),
      from: from?.join(" ") ?? "anywhere that its rules allow",
    });
    return emit({ type: "service-opened", device, localAddress: service, until, to, from, reason, by });
  }
  logger.info("{device}/{service}, opened by {by}, is closed by {closedBy}; the reason for opening it: {reason}", {
    ...facts,
    closedBy: closedBy ?? "the clock",
  });
  emit({ type: "service-closed", device, localAddress: service, by: closedBy, openedBy: by, reason });
}
