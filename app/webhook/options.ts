/**
 * The options of a webhook.
 *
 * @module
 */

import type { OptionSpec } from "../options.ts";
import { oneOf, parsePath, parsePositiveDuration } from "../values.ts";

/** Events that a webhook can be told. */
export const WEBHOOK_EVENTS = [
  "device-online",
  "device-offline",
  "device-interrupted",
  "service-failed",
  "certificate-ends",
  "limit-reached",
] as const;

/** One of {@linkcode WEBHOOK_EVENTS}. */
export type WebhookEventName = (typeof WEBHOOK_EVENTS)[number];

/** The option `--webhook`. */
export const WEBHOOK_OPTION = {
  value: "URL",
  help: "https:// or http:// address that events are posted to, as JSON",
  parse: parseUrl,
  write: hostOf,
} as const satisfies OptionSpec<string>;

/** The option `--webhook-secret-file`. */
export const WEBHOOK_SECRET_OPTION = {
  value: "FILE",
  help: "file with the secret that signs them (HMAC-SHA256), which nobody else may read",
  parse: parsePath,
} as const satisfies OptionSpec<string>;

/** The option `--webhook-events`. */
export const WEBHOOK_EVENTS_OPTION = {
  value: "EVENT",
  help: `which of them, any number of times: ${WEBHOOK_EVENTS.join(", ")}`,
  parse: oneOf(...WEBHOOK_EVENTS),
  many: true,
  preset: "all",
} as const satisfies OptionSpec<WebhookEventName>;

/** The option `--webhook-grace`. */
export const WEBHOOK_GRACE_OPTION = {
  value: "TIME",
  help: "how long a device has to be without a link before it is told to be offline",
  parse: parsePositiveDuration,
  preset: "5m",
} as const satisfies OptionSpec<number>;

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new SyntaxError("this is no address of a webhook; write https://HOST/PATH"); // it may be a secret
  }
  if (url.username !== "" || url.password !== "") {
    throw new SyntaxError("a webhook's address has no user and no password; use --webhook-secret-file");
  }
  return url.href;
}

/** Where it is, without what stands behind that, which may be what lets in. */
function hostOf(url: string): string {
  return `${new URL(url).origin}/…`;
}
