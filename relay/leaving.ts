/**
 * Connections whose channel has ended, and which still take what came for them: some of a link, and no more.
 *
 * @module
 */

import type { ChannelPump } from "./channel_pump.ts";
import { MAX_LEAVING_CHANNELS } from "../net/limits.ts";

/**
 * Makes room where more than {@linkcode MAX_LEAVING_CHANNELS} of `pumps` are leaving, which are in the order of their
 * coming: the oldest lose what they have not taken, so that those who read nothing do not keep others out.
 */
export function boundLeaving(pumps: ReadonlySet<ChannelPump> | ReadonlyMap<ChannelPump, unknown>, open: number): void {
  let over = pumps.size - open - MAX_LEAVING_CHANNELS;
  if (over <= 0) return;
  for (const pump of pumps.keys()) {
    if (pump.channel.open) continue;
    pump.abort("stalled");
    if (--over === 0) return;
  }
}
