/**
 * Where the device's admin API is served.
 *
 * @module
 */

import type { AdminWish } from "../../../app/admin/options.ts";
import { EventRing } from "../../../app/admin/event_ring.ts";
import type { AdminServer } from "../../../app/admin/serve.ts";
import { describeError } from "../../../base/errors.ts";
import type { DeviceContext } from "../../admin/context.ts";
import { serveDeviceAdmin } from "../../admin/serve.ts";
import type { DeviceEvent } from "../../events.ts";
import { MAX_DEVICE_EVENTS } from "../../limits.ts";

/** All but what is made here. */
export type AdminSubject = Omit<DeviceContext, "events" | "started">;

/**
 * Serves it where it is wanted; `folder` is the device's state. One that nobody asked for is no reason not to run.
 *
 * @returns `undefined` if it cannot be, and nobody asked for it.
 * @throws {ConfigError} or {ListenError} if somebody did.
 */
export async function serveAdminApi(
  subject: AdminSubject,
  folder: string,
  wish: AdminWish,
): Promise<AdminServer | undefined> {
  const { device, clock, logger } = subject;
  const started = clock.wall();
  const events = new EventRing<DeviceEvent>(started, MAX_DEVICE_EVENTS);
  device.subscribe((event) => events.add(clock.wall(), event));
  try {
    return await serveDeviceAdmin({ ...subject, events, started }, folder, wish);
  } catch (error) {
    if (wish.isExplicit) throw error;
    const [what = ""] = describeError(error).split("\n");
    logger.warn("no admin API: {error}; --admin off goes without", { error: what });
    return undefined;
  }
}
