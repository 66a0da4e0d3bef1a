/**
 * What lines of a server's audit are about: one word each.
 *
 * @module
 */

import type { ServerEvent } from "../events.ts";

/** Events that have no line: what they tell, others tell too, or it is no matter of who may do what. */
export type Untold = "listening" | "host-open" | "host-failed" | "host-closed" | "mode";

/** Events that have one by the same name. */
const TOLD = {
  "link-up": 0,
  "link-interrupted": 0,
  "link-resumed": 0,
  "link-down": 0,
  "client-end": 0,
  "incompatible": 0,
  "refused": 0,
  "enrolled": 0,
  "limit-reached": 0,
  "service-opened": 0,
  "service-closed": 0,
} satisfies Record<Exclude<ServerEvent["type"], Untold>, 0>;

/** What is no event of the server, and has a line. */
const BESIDE = [
  "client-end-more",
  "refused-more",
  "lines-lost",
  "server-start",
  "server-stop",
  "audit-start",
  "audit-stop",
] as const;

/** A word that a line may be about. */
export type AuditedEvent = "act" | "device-change" | keyof typeof TOLD | typeof BESIDE[number];

/** Every word. */
export const AUDITED_EVENTS: readonly string[] = ["act", "device-change", ...Object.keys(TOLD), ...BESIDE];
