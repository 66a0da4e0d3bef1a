/**
 * What a server's hooks are told.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import type { HookNotice } from "../../app/hooks/hooks.ts";
import type { ServerEvent } from "../events.ts";

const HOOKS = {
  "link-up": "online",
  "link-interrupted": "interrupted",
  "link-resumed": "resumed",
  "link-down": "lost",
} as const;

/** The hook's part of an event at `now`, in milliseconds since 1970, if hooks are told of it. */
export function serverNotice(event: ServerEvent, now: number = systemClock.wall()): HookNotice | undefined {
  switch (event.type) {
    case "link-up":
      return notice(event, now, {});
    case "link-interrupted":
      return notice(event, now, {
        REASON: event.reason,
        DETAIL: event.detail,
        EXPIRATION_MS: event.expiration,
        CLIENTS: event.clients,
      });
    case "link-resumed":
      if (event.moved) return undefined; // nobody was told of an interruption
      return notice(event, now, { INTERRUPTED_MS: event.interrupted, REPLAYED_BYTES: event.replayed });
    case "link-down":
      return notice(event, now, {
        REASON: event.reason,
        DETAIL: event.detail,
        DURATION_MS: event.duration,
        CLIENTS: event.clients,
      });
    default:
      return undefined;
  }
}

function notice(
  { type, device, listen, remote, ...rest }: Extract<ServerEvent, { readonly type: keyof typeof HOOKS }>,
  now: number,
  facts: HookNotice["facts"],
): HookNotice {
  return {
    event: HOOKS[type],
    subject: device === remote ? listen : device, // on v1 it is the listener that stands for its one device
    facts: { TIME: new Date(now).toISOString(), DEVICE: device, LISTENER: listen, REMOTE: remote, ...facts },
    late: "reason" in rest && rest.reason === "replaced", // the device is back already
  };
}
