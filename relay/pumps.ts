/**
 * Connections whose channel has ended, and which still take what came for them: some of a link, and no more.
 *
 * @module
 */

import type { ChannelPump } from "./channel_pump.ts";
import { MAX_LEAVING_CHANNELS } from "../net/limits.ts";

/**
 * Makes room where more than {@linkcode MAX_LEAVING_CHANNELS} of `pumps` are leaving, which are in the order of their
 * coming, each with its service: those who read nothing keep nobody else out. It is the service with most of them whose
 * oldest loses what it has not taken, so that the clients of others get all of theirs.
 *
 * @param open How many of them have an open channel.
 */
export function boundLeaving(pumps: ReadonlyMap<ChannelPump, unknown>, open: number): void {
  let over = pumps.size - open - MAX_LEAVING_CHANNELS;
  if (over <= 0) return;
  const leaving = new Map<unknown, ChannelPump[]>();
  for (const [pump, service] of pumps) {
    if (pump.channel.open) continue;
    const same = leaving.get(service);
    if (same) same.push(pump);
    else leaving.set(service, [pump]);
  }
  for (; over > 0; over--) {
    let most: ChannelPump[] = [];
    for (const some of leaving.values()) if (some.length > most.length) most = some;
    most.shift()?.abort("stalled");
  }
}
