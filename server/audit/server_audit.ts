/**
 * What a server writes into its audit: who came and went, who was turned away, and who changed what.
 *
 * @module
 */

import { AUDITED_REFUSALS } from "../../app/limits.ts";
import type { Act } from "../../app/admin/http/api.ts";
import type { AuditFile } from "../../app/audit/audit_file.ts";
import { VERSION } from "../../base/version.ts";
import type { AdminContext } from "../admin/context.ts";
import type { RefusedEvent, ServerEvent } from "../events.ts";

/** What an audit is of. */
export type AuditSubject = Pick<AdminContext, "server" | "core" | "state">;

/** Events that have no line: what they tell, others tell too, or it is no matter of who may do what. */
type Untold = "listening" | "host-open" | "host-failed" | "host-closed" | "mode";

/** Writes lines. */
export class ServerAudit {
  /** Where they are written. */
  readonly file: AuditFile;

  readonly #subject: AuditSubject;
  readonly #unsubscribe: (() => void)[] = [];
  #second = -Infinity;
  #refusals = 0;
  #leftOut = 0;

  /** Writes from now on. */
  constructor(file: AuditFile, subject: AuditSubject) {
    this.file = file;
    this.#subject = subject;
    file.add({ event: "server-start", version: VERSION, pid: Deno.pid });
    const { server, state } = subject;
    this.#unsubscribe.push(server.subscribe((event) => this.#on(event)));
    if (!state) return;
    const tell = (change: string, device: { readonly name: string; readonly key: string }, before?: string) =>
      file.add({ event: "device-change", change, device: device.name, key: device.key, before });
    this.#unsubscribe.push(state.devices.subscribe(({ added, removed, changed }) => {
      for (const device of removed) tell("removed", device);
      for (const device of added) tell("added", device);
      for (const { before, after } of changed) {
        const isBarred = after.disabled && !before.disabled;
        const isLetIn = before.disabled && !after.disabled;
        const what = isBarred ? "disabled" : isLetIn ? "enabled" : before.name !== after.name ? "renamed" : "changed";
        tell(what, after, before.name === after.name ? undefined : before.name);
      }
    }));
  }

  /** Somebody did something by the admin API, or tried to. */
  act({ act, via, with: proof, body, status, error }: Act): void {
    const isEmpty = typeof body !== "object" || body === null || Object.keys(body).length === 0;
    this.file.add({ event: "act", by: { via, with: proof }, act, ...(!isEmpty && { body }), status, error });
  }

  /** Writes the last line, and closes the file. */
  async close(): Promise<void> {
    for (const end of this.#unsubscribe) end();
    this.#tellLeftOut();
    this.file.add({ event: "server-stop" });
    await this.file.close();
  }

  #on(event: ServerEvent): void {
    switch (event.type) {
      case "listening":
      case "host-open":
      case "host-failed":
      case "host-closed":
      case "mode":
        event.type satisfies Untold;
        return;
      case "refused":
        return this.#onRefused(event);
      case "client-end": {
        const { type, localAddress: service, duration: durationMs, device, ...facts } = event;
        return this.file.add({ event: type, device, key: this.#keyOf(device), service, ...facts, durationMs });
      }
      case "limit-reached":
      case "enrolled": {
        const { type, ...facts } = event;
        return this.file.add({ event: type, ...facts });
      }
      case "service-opened":
      case "service-closed": {
        const { type, localAddress: service, ...facts } = event;
        const until = "until" in event ? new Date(event.until).toISOString() : undefined;
        return this.file.add({ event: type, ...facts, service, until });
      }
      case "link-down": {
        const { type, device, duration: durationMs, ...facts } = event;
        return this.file.add({ event: type, device, key: this.#keyOf(device), ...facts, durationMs });
      }
      default: {
        const { type, device, ...facts } = event;
        return this.file.add({ event: type, device, key: this.#keyOf(device), ...facts });
      }
    }
  }

  /** The key of a device; v1 has none. */
  #keyOf(device: string | undefined): string | undefined {
    if (device === undefined) return undefined;
    const { core, state } = this.#subject;
    return core.registry?.session(device)?.device.key ?? state?.devices.byName(device)?.key;
  }

  /** A few in a second have lines of their own; those of health checks have none. */
  #onRefused({ type, ...facts }: RefusedEvent): void {
    if (facts.reason === "mute") return;
    const second = Math.floor(this.#subject.core.settings.clock.now() / 1000);
    if (second !== this.#second) {
      this.#tellLeftOut();
      this.#second = second;
      this.#refusals = 0;
    }
    if (this.#refusals++ < AUDITED_REFUSALS) this.file.add({ event: type, ...facts });
    else this.#leftOut++;
  }

  #tellLeftOut(): void {
    if (this.#leftOut > 0) this.file.add({ event: "refused-more", count: this.#leftOut });
    this.#leftOut = 0;
  }
}
