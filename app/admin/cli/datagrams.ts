/**
 * What became of the datagrams of a service over UDP, in a few words.
 *
 * @module
 */

import type { Datagrams } from "../shared.ts";

/** As in `120 received, 118 sent, 3 dropped: 2 aged, 1 unread`. */
export function datagramText({ received, sent, ...dropped }: Datagrams): string {
  const reasons = Object.entries(dropped).filter(([, count]) => count > 0);
  const all = reasons.reduce((sum, [, count]) => sum + count, 0);
  const why = reasons.map(([reason, count]) => `${count} ${reason}`).join(", ");
  return `datagrams: ${received} received, ${sent} sent, ${all} dropped${all > 0 ? `: ${why}` : ""}`;
}
