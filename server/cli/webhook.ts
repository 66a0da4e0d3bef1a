/**
 * A server's webhook, from its options.
 *
 * @module
 */

import { readToken } from "../../app/admin/address.ts";
import { optionMistake, type OptionValues } from "../../app/options.ts";
import { parseDuration } from "../../app/values.ts";
import { Webhook } from "../../app/webhook/webhook.ts";
import { WEBHOOK_EVENTS, WEBHOOK_GRACE_OPTION } from "../../app/webhook/options.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { WebhookPlan } from "../webhook/tidings.ts";
import type { SERVER_OPTIONS } from "./config.ts";

/** What is wanted of one. */
export interface WebhookWish extends Omit<WebhookPlan, "webhook"> {
  readonly url: string;
  readonly secret: string | undefined;
}

/**
 * What the options come to; `undefined` without a webhook.
 *
 * @throws {ConfigError} if the secret cannot be used, or options are there that are of no use.
 */
export async function webhookWish(values: OptionValues<typeof SERVER_OPTIONS>): Promise<WebhookWish | undefined> {
  const { webhook: url } = values;
  if (url === undefined) {
    for (const name of ["webhook-secret-file", "webhook-events", "webhook-grace"] as const) {
      if (values[name] !== undefined) {
        throw optionMistake(values, name, (it) => `${it} is of use beside a webhook alone`);
      }
    }
    return undefined;
  }
  const file = values["webhook-secret-file"];
  return {
    url,
    secret: file === undefined ? undefined : await readToken(file, "secret"),
    events: new Set(values["webhook-events"] ?? WEBHOOK_EVENTS),
    grace: values["webhook-grace"] ?? parseDuration(WEBHOOK_GRACE_OPTION.preset),
  };
}

/** Makes it. */
export function openWebhook(wish: WebhookWish | undefined, clock: Clock, logger: Logger) {
  if (!wish) return undefined;
  const { url, secret, events, grace } = wish;
  const webhook = new Webhook({ url, secret, clock, logger });
  return { webhook, events, grace };
}
