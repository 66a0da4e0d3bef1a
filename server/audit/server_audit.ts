/**
 * What a server writes into its audit: who came and went, who was turned away, and who changed what.
 *
 * @module
 */

import { AUDITED_REFUSALS } from "../../app/limits.ts";
import type { Act } from "../../app/admin/http/api.ts";
import type { Clock } from "../../base/clock.ts";
import type { AuditFile } from "../../app/audit/audit_file.ts";
import type { AuditFacts } from "../../app/audit/line.ts";
import { VERSION } from "../../base/version.ts";
import type { AdminContext } from "../admin/context.ts";
import type { RefusedEvent, ServerEvent } from "../events.ts";
import type { AuditedEvent, Untold } from "./audited_events.ts";

/** What an audit is of. */
export type AuditSubject = Pick<AdminContext, "server" | "core" | "state">;

/** What an audit begins and ends with: the server, or nothing else, as a reload has it. */
export type AuditedSpan = "server" | "audit";

/** Writes lines. */
export class ServerAudit {
  /** Where they are written. */
  readonly file: AuditFile;

  readonly #subject: AuditSubject;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #refused: Few;
  readonly #idle: Few;

  /** Writes from now on. `of`: what starts, the server or only its audit. */
  constructor(file: AuditFile, subject: AuditSubject, of: AuditedSpan = "server") {
    this.file = file;
    this.#subject = subject;
    const { clock } = subject.core.settings;
    this.#refused = new Few(clock, (count) => this.#add({ event: "refused-more", count }));
    this.#idle = new Few(clock, (count) => this.#add({ event: "client-end-more", count }));
    this.#add({ event: `${of}-start`, version: VERSION, pid: Deno.pid });
    const { server, state } = subject;
    this.#unsubscribe.push(server.subscribe((event) => this.#on(event)));
    if (!state) return;
    const tell = (change: string, device: { readonly name: string; readonly key: string }, before?: string) =>
      this.#add({ event: "device-change", change, device: device.name, key: device.key, before });
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
    this.#add({ event: "act", by: { via, with: proof }, act, ...(!isEmpty && { body }), status, error });
  }

  /** Writes the last line, and closes the file. `of`: what ends, the server or only its audit. */
  async close(of: AuditedSpan = "server"): Promise<void> {
    for (const end of this.#unsubscribe) end();
    this.#refused.tell();
    this.#idle.tell();
    this.#add({ event: `${of}-stop` });
    await this.file.close();
  }

  #add(facts: AuditFacts & { readonly event: AuditedEvent }): void {
    this.file.add(facts);
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
        // Turned away, or gone without a byte: whoever reaches a host port can be that any number of times.
        if (facts.bytesUp + facts.bytesDown === 0 && !this.#idle.take()) return;
        return this.#add({ event: type, device, key: this.#keyOf(device), service, ...facts, durationMs });
      }
      case "limit-reached":
      case "enrolled": {
        const { type, ...facts } = event;
        return this.#add({ event: type, ...facts });
      }
      case "service-opened":
      case "service-closed": {
        const { type, localAddress: service, ...facts } = event;
        const until = "until" in event ? new Date(event.until).toISOString() : undefined;
        return this.#add({ event: type, ...facts, service, until });
      }
      case "link-down": {
        const { type, device, duration: durationMs, ...facts } = event;
        return this.#add({ event: type, device, key: this.#keyOf(device), ...facts, durationMs });
      }
      default: {
        const { type, device, ...facts } = event;
        return this.#add({ event: type, device, key: this.#keyOf(device), ...facts });
      }
    }
  }

  /** The key of a device; v1 has none. */
  #keyOf(device: string | undefined): string | undefined {
    if (device === undefined) return undefined;
    const { core, state } = this.#subject;
    return core.registry?.session(device)?.device.key ?? state?.devices.byName(device)?.key;
  }

  /** Those of health checks have no lines. */
  #onRefused({ type, ...facts }: RefusedEvent): void {
    if (facts.reason !== "mute" && this.#refused.take()) this.#add({ event: type, ...facts });
  }
}

/** What strangers can cause: a few in a second have lines of their own, the rest is counted. */
class Few {
  readonly #clock: Clock;
  readonly #tellMore: (count: number) => void;
  #second = -Infinity;
  #taken = 0;
  #leftOut = 0;

  constructor(clock: Clock, tellMore: (count: number) => void) {
    this.#clock = clock;
    this.#tellMore = tellMore;
  }

  /** Whether one may have a line of its own. */
  take(): boolean {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.tell();
      this.#second = second;
      this.#taken = 0;
    }
    if (this.#taken++ < AUDITED_REFUSALS) return true;
    this.#leftOut++;
    return false;
  }

  /** Tells how many were left out. */
  tell(): void {
    if (this.#leftOut > 0) this.#tellMore(this.#leftOut);
    this.#leftOut = 0;
  }
}
