/**
 * Where a server writes its audit, and whom it tells of what happens: others may be in force while it runs.
 *
 * @module
 */

import type { AuditFile } from "../../app/audit/audit_file.ts";
import type { Webhook } from "../../app/webhook/webhook.ts";
import { type AuditedSpan, ServerAudit } from "../audit/server_audit.ts";
import { type WebhookPlan, WebhookTidings } from "../webhook/tidings.ts";
import type { AdminContext } from "./context.ts";

/** A webhook, and what it is told. */
export type WebhookOutlet = WebhookPlan & { readonly webhook: Webhook };

/** What there is of them, if there is. */
export interface OutletsOptions {
  readonly audit?: AuditFile | undefined;
  readonly webhook?: WebhookOutlet | undefined;
}

/** The outlets of a server. */
export class Outlets {
  readonly #subject: Pick<AdminContext, "server" | "core" | "state">;
  #audit: ServerAudit | undefined;
  #webhook: Webhook | undefined;
  #tidings: WebhookTidings | undefined;
  /** Those that went, and what they still have to write or to tell. */
  readonly #leaving = new Set<Promise<void>>();

  /** Open from now on. */
  constructor({ audit, webhook }: OutletsOptions, subject: Pick<AdminContext, "server" | "core" | "state">) {
    this.#subject = subject;
    this.setWebhook(webhook);
    this.#putAudit(audit, "server");
  }

  /** What writes the audit, if there is one. */
  get audit(): ServerAudit | undefined {
    return this.#audit;
  }

  /** The webhook, if there is one. */
  get webhook(): Webhook | undefined {
    return this.#webhook;
  }

  /** An audit, or none, while the server runs: the one before is written to its end. */
  setAudit(file: AuditFile | undefined): void {
    this.#putAudit(file, "audit");
  }

  /** Another webhook, another plan for the same, or none: the one before is told what waits for it. */
  setWebhook(outlet: WebhookOutlet | undefined): void {
    if (outlet && this.#tidings && outlet.webhook === this.#webhook) return void (this.#tidings.plan = outlet);
    this.#tidings?.close();
    if (this.#webhook) this.#leave(this.#webhook.close());
    this.#webhook = outlet?.webhook;
    this.#tidings = outlet && new WebhookTidings(outlet, this.#subject);
  }

  /** Ends all. Resolves when what there was is written and told, or its time is up. */
  async close(): Promise<void> {
    this.#putAudit(undefined, "server");
    this.setWebhook(undefined);
    await Promise.all(this.#leaving);
  }

  #putAudit(file: AuditFile | undefined, of: AuditedSpan): void {
    if (this.#audit) this.#leave(this.#audit.close(of));
    this.#audit = file && new ServerAudit(file, this.#subject, of);
  }

  #leave(closed: Promise<void>): void {
    const left = closed.finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }
}
