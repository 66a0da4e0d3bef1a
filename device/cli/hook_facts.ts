/**
 * What a device's hooks are told.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import type { HookNotice } from "../../app/hooks/hooks.ts";
import type { DeviceEvent } from "../events.ts";

/** Tells events to hooks; remembers the device's name, which the server says once. */
export class DeviceNotices {
  #name: string | undefined;

  /** The hook's part of an event at `now`, in milliseconds since 1970, if hooks are told of it. */
  of(event: DeviceEvent, now: number = systemClock.wall()): HookNotice | undefined {
    switch (event.type) {
      case "online":
        this.#name = event.device;
        return this.#notice(event, now, { LOCAL: event.local });
      case "interrupted":
        return this.#notice(event, now, { REASON: event.reason, DETAIL: event.detail, RETRY_IN_MS: event.retryIn });
      case "resumed":
        if (event.moved) return undefined; // nobody was told of an interruption
        return this.#notice(event, now, {
          LOCAL: event.local,
          INTERRUPTED_MS: event.interrupted,
          REPLAYED_BYTES: event.replayed,
        });
      case "lost":
        return this.#notice(event, now, {
          REASON: event.reason,
          DETAIL: event.detail,
          GOODBYE: event.goodbye,
          DURATION_MS: event.duration,
          RETRY_IN_MS: event.retryIn,
          CLIENTS: event.clients,
        });
      default:
        return undefined;
    }
  }

  #notice(
    { type, server }: Extract<DeviceEvent, { readonly type: HookNotice["event"] }>,
    now: number,
    facts: HookNotice["facts"],
  ): HookNotice {
    return {
      event: type,
      subject: "this device",
      facts: { TIME: new Date(now).toISOString(), DEVICE: this.#name, SERVER: server, ...facts },
      late: facts["REASON"] === "not-resumed", // the next session has begun
    };
  }
}
