/**
 * What a device waits for while a link is up: its end, or a change of the network under it.
 *
 * @module
 */

import type { LinkEnd } from "../net/link_end.ts";
import { watchNetwork } from "../net/network_watch.ts";
import type { LinkLife } from "./link_maker.ts";
import type { DeviceSettings } from "./options.ts";

/**
 * Resolves with the end of `link`; or with `changed`, if its session can go on over another link and the network changes of
 * which `local`, this side's address, is a part. Without `local` it does not look.
 */
export async function downOrChanged(
  link: LinkLife,
  local: string | undefined,
  { clock, readNetwork }: Pick<DeviceSettings, "clock" | "readNetwork">,
): Promise<LinkEnd | "changed"> {
  if (local === undefined || !link.resumable) return await link.down;
  const changed = Promise.withResolvers<"changed">();
  const host = local.slice(0, local.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  const stop = watchNetwork(host, clock, () => changed.resolve("changed"), readNetwork);
  try {
    return await Promise.race([link.down, changed.promise]);
  } finally {
    stop();
  }
}
