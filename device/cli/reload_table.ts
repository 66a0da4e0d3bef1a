/**
 * How each of a device's options changes while it runs.
 *
 * @module
 */

import type { ReloadTable } from "../../app/reload/table.ts";
import type { DEVICE_OPTIONS } from "./config.ts";

/**
 * The table, for v2. On v1 the services stay as they were at the start, and what is over a new link here holds when the one that is
 * up has ended.
 */
export const DEVICE_RELOAD = {
  server: "over a new link",
  profile: "at the next start",
  service: "at once",
  allow: "at once",
  "server-key": "over a new link",
  pki: "over a new link",
  ca: "over a new link",
  plain: "over a new link",
  "require-binding": "over a new link",
  mode: "at once",
  "connect-timeout": "for links and clients to come",
  "tcp-keep-alive": "for links and clients to come",
  "stall-timeout": "for links and clients to come",
  "link-write-timeout": "for links and clients to come",
  metrics: "at once",
  proxy: "over a new link",
  sni: "over a new link",
  via: "over a new link",
  expiration: "for links and clients to come",
  state: "at the next start",
  admin: "at once",
  "admin-token-file": "at once",
  "keep-alive": "at once",
  "idle-timeout": "at once",
  "probe-interval": "at once",
  "probe-count": "at once",
  engine: "at the next start",
  "log-format": "at the next start",
  "log-level": "at once",
} as const satisfies ReloadTable<keyof typeof DEVICE_OPTIONS>;
