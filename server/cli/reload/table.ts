/**
 * How each of the server's options changes while it runs.
 *
 * @module
 */

import type { ReloadTable } from "../../../app/reload/table.ts";
import type { SERVER_OPTIONS } from "../config.ts";

/** The table; a listener that is gone has rules of its own. */
export const SERVER_RELOAD = {
  listen: "at once",
  profile: "at once",
  forward: "at once",
  "tls-cert": "at once",
  "tls-key": "at once",
  "proxy-from": "at once",
  plain: "at once",
  devices: "at the next start",
  state: "at the next start",
  admin: "at once",
  "admin-token-file": "at once",
  metrics: "at once",
  "metrics-per-device": "at once",
  audit: "at once",
  webhook: "at once",
  "webhook-secret-file": "at once",
  "webhook-events": "at once",
  "webhook-grace": "at once",
  "keep-alive": "at once",
  "idle-timeout": "at once",
  "probe-interval": "at once",
  "probe-count": "at once",
  expiration: "for links and clients to come",
  "warn-bytes-a-day": "at once",
  "max-devices": "at once",
  "max-links": "at once",
  "max-sockets": "at once",
  "max-memory": "at once",
  "handshake-rate": "at once",
  "tcp-keep-alive": "for links and clients to come",
  "stall-timeout": "for links and clients to come",
  "half-close-timeout": "for links and clients to come",
  "link-write-timeout": "for links and clients to come",
  engine: "at the next start",
  "log-format": "at the next start",
  "log-level": "at once",
} as const satisfies ReloadTable<keyof typeof SERVER_OPTIONS>;
