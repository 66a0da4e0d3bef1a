/**
 * How each of a device's options changes while it runs.
 *
 * @module
 */

import type { ReloadTable } from "../../app/reload/table.ts";
import type { DEVICE_OPTIONS } from "./config.ts";

/** The table, for v2; on v1 the services and the mode stay as they were at the start. */
export const DEVICE_RELOAD = {
  server: "at the next start",
  profile: "at the next start",
  service: "at once",
  allow: "at the next start",
  "server-key": "at the next start",
  pki: "at the next start",
  ca: "at the next start",
  plain: "at the next start",
  "require-binding": "at the next start",
  mode: "at once",
  "connect-timeout": "for links and clients to come",
  "tcp-keep-alive": "for links and clients to come",
  "stall-timeout": "for links and clients to come",
  "link-write-timeout": "for links and clients to come",
  metrics: "at once",
  proxy: "at the next start",
  sni: "at the next start",
  via: "for links and clients to come",
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
