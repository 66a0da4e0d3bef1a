/**
 * Where the admin API of a device is served. What answers there is loaded when somebody asks.
 *
 * @module
 */

import type { AdminWish } from "../../app/admin/options.ts";
import { type AdminServer, serveAdmin } from "../../app/admin/serve.ts";
import type { DeviceContext } from "./context.ts";

/** What it is called in its document. */
const DEVICE_API = "Sallyport device";

/**
 * Serves it, with its socket in `folder`.
 *
 * @throws {ConfigError} if a socket cannot be made; {ListenError} if the TCP address cannot be had.
 */
export function serveDeviceAdmin(context: DeviceContext, folder: string, wish: AdminWish): Promise<AdminServer> {
  const { unix, tcp } = wish;
  const { clock, logger } = context;
  const load = async () => ({ routes: (await import("./routes.ts")).deviceApiRoutes(context) });
  return serveAdmin({ title: DEVICE_API, load, folder, unix, tcp, clock, logger });
}
