/**
 * What became of the datagrams of a service over UDP, and of its clients, in a few words.
 *
 * @module
 */

import type { Datagrams } from "../shared.ts";

/** As in `datagrams: 120 received, 118 sent, 3 dropped: 2 aged, 1 unread`. */
export function datagramText(datagrams: Datagrams): string {
  return `datagrams: ${fates(datagrams)}`;
}

/** The same without the word in front. */
export function fates({ received, sent, ...dropped }: Datagrams): string {
  const reasons = Object.entries(dropped).filter(([, count]) => count > 0);
  const all = reasons.reduce((sum, [, count]) => sum + count, 0);
  const why = reasons.map(([reason, count]) => `${count} ${reason}`).join(", ");
  return `${received} received, ${sent} sent, ${all} dropped${all > 0 ? `: ${why}` : ""}`;
}
