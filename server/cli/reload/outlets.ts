/**
 * What a server tells others that are different when it reads its configuration anew: its audit and its webhook.
 *
 * @module
 */

import { AuditFile } from "../../../app/audit/audit_file.ts";
import type { Change } from "../../../app/reload/change.ts";
import { isSame } from "../../../app/reload/report.ts";
import { demandFolderOf } from "../../../app/files/private_folder.ts";
import type { AdminContext } from "../../admin/context.ts";
import { openWebhook, type WebhookWish } from "../webhook.ts";

/** What is prepared of it, without what is said. */
export type Prepared = Omit<Change, "told">;

/** Prepares another audit, or none. @throws {ConfigError} if there is no folder for it. */
export function prepareAudit(
  { outlets, core: { settings: { clock, logger } } }: AdminContext,
  path: string | undefined,
): Prepared | undefined {
  const file = outlets.audit?.file;
  if (path === file?.path) return undefined;
  if (path !== undefined) demandFolderOf(path);
  return {
    commit() {
      if (path !== undefined && file) return file.move(path);
      outlets.setAudit(path === undefined ? undefined : new AuditFile({ path, clock, logger }));
    },
  };
}

/** Another webhook, other events, or none. */
export class WebhookReload {
  readonly #context: AdminContext;
  #told: WebhookWish | undefined;

  /** `told` is what the server runs with. */
  constructor(told: WebhookWish | undefined, context: AdminContext) {
    this.#told = told;
    this.#context = context;
  }

  /** Prepares it. */
  prepare(wish: WebhookWish | undefined): Prepared | undefined {
    if (
      isSame(
        wish && { ...wish, events: [...wish.events] },
        this.#told && { ...this.#told, events: [...this.#told.events] },
      )
    ) {
      return undefined;
    }
    return { commit: () => this.#put(wish) };
  }

  #put(wish: WebhookWish | undefined): void {
    const { outlets, core: { settings: { clock, logger } } } = this.#context;
    this.#told = wish;
    const { webhook } = outlets;
    if (!wish || !webhook) return outlets.setWebhook(openWebhook(wish, clock, logger));
    webhook.retarget(wish);
    outlets.setWebhook({ webhook, events: wish.events, grace: wish.grace });
  }
}
