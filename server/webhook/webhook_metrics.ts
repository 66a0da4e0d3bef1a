/**
 * What a webhook counts of itself.
 *
 * @module
 */

import type { Registry } from "../../app/metrics/registry.ts";
import type { Webhook } from "../../app/webhook/webhook.ts";

/** Adds it; without a webhook all is 0. */
export function addWebhookMetrics(registry: Registry, webhook: () => Webhook | undefined): void {
  registry.sampled("counter", {
    name: "sallyport_webhook_events_total",
    help: "Events by what became of them: taken by the webhook, refused or given up, or dropped as too many waited.",
    labels: { outcome: ["delivered", "failed", "dropped"] },
  }, () => [
    [["delivered"], webhook()?.delivered ?? 0],
    [["failed"], webhook()?.failed ?? 0],
    [["dropped"], webhook()?.dropped ?? 0],
  ]);
  registry.value("gauge", {
    name: "sallyport_webhook_waiting",
    help: "Events that wait for the webhook.",
  }, () => webhook()?.waiting ?? 0);
}
