/**
 * Whether a channel still carries anything: looked at some times within its idle time, so nothing is done for a byte.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Channel } from "../../protocol/channel.ts";
import { IDLE_LOOKS } from "../limits.ts";

/** Calls `onIdle` once, when nothing went either way for `ms` milliseconds, or a part more. @returns what ends the watch. */
export function watchIdle(
  channel: Pick<Channel, "bytesSent" | "bytesReceived">,
  clock: Clock,
  ms: number,
  onIdle: () => void,
): () => void {
  let [looks, seen] = [0, channel.bytesSent + channel.bytesReceived];
  const look = () => {
    const now = channel.bytesSent + channel.bytesReceived;
    looks = now === seen ? looks + 1 : 0;
    seen = now;
    if (looks >= IDLE_LOOKS) onIdle();
    else cancel = clock.after(ms / IDLE_LOOKS, look);
  };
  let cancel = clock.after(ms / IDLE_LOOKS, look);
  return () => cancel();
}
