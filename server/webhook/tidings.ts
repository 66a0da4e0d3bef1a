/**
 * What a server's webhook is told: not each coming and going, but what somebody has to know.
 *
 * @module
 */

import type { Webhook } from "../../app/webhook/webhook.ts";
import type { WebhookEventName } from "../../app/webhook/options.ts";
import { CERTIFICATE_WARNING_MS } from "../../net/limits.ts";
import { DailyWarning } from "../../net/tls/validity.ts";
import type { AdminContext } from "../admin/context.ts";
import { stateOf } from "../admin/device_facts.ts";
import { limitsOf } from "../admin/server_routes.ts";
import { type DevicesChange, renamedIn } from "../devices/differences.ts";
import type { ServerEvent } from "../events.ts";
import { LIMIT_CLEAR_PART, MAX_FAILED_SERVICES, WEBHOOK_INTERRUPTED_MS, WEBHOOK_LOOK_MS } from "../limits.ts";
import { V2Listener } from "../v2/listener.ts";
import { Absences } from "./absences.ts";

/** What there is to tell of. */
export type WebhookSubject = Pick<AdminContext, "server" | "core" | "state">;

/** What is to be told, and to whom. */
export interface WebhookPlan {
  readonly webhook: Pick<Webhook, "tell">;
  readonly events: ReadonlySet<WebhookEventName>;
  /** Milliseconds that a device has to be without a link. */
  readonly grace: number;
}

/** Why a link has ended. */
interface Lost {
  readonly reason: string;
  readonly detail: string | undefined;
  readonly remote: string | undefined;
}

const NEVER_SEEN: Lost = {
  reason: "never-seen",
  detail: "it has not come since the server runs",
  remote: undefined,
};

/** The webhook is newer than its absence. */
const GONE_BEFORE: Lost = {
  reason: "offline",
  detail: "it had no link when the server was told of the webhook",
  remote: undefined,
};

/** Tells a webhook. */
export class WebhookTidings {
  readonly #subject: WebhookSubject;
  #plan: WebhookPlan;
  readonly #offline: Absences<Lost>;
  readonly #interrupted: Absences<Lost>;
  readonly #failed = new Set<string>();
  readonly #reached = new Set<string>();
  readonly #certificates = new Map<string, DailyWarning>();
  readonly #unsubscribe: () => void;
  #cancel: () => void;

  /** Tells from now on. Devices that are known and do not come are told of, too. */
  constructor(plan: WebhookPlan, subject: WebhookSubject) {
    const { clock } = subject.core.settings;
    this.#subject = subject;
    this.#plan = plan;
    this.#offline = new Absences(clock, plan.grace, (device, { since, facts }) => {
      if (!this.#isMissed(device)) return false;
      this.#tell("device-offline", { device, forMs: this.#ago(since), ...facts });
      return true;
    });
    this.#interrupted = new Absences(clock, WEBHOOK_INTERRUPTED_MS, (device, { since, facts }) => {
      this.#tell("device-interrupted", { device, forMs: this.#ago(since), ...facts });
      return true;
    });
    for (const { name } of subject.state?.devices.all ?? []) {
      const session = subject.core.registry?.session(name);
      if (!session?.link) this.#offline.begin(name, session ? GONE_BEFORE : NEVER_SEEN);
    }
    const ends = [
      subject.server.subscribe((event) => this.#on(event)),
      subject.state?.devices.subscribe((change) => this.#onChange(change)),
    ];
    this.#unsubscribe = () => ends.forEach((end) => end?.());
    this.#cancel = clock.after(WEBHOOK_LOOK_MS, () => this.#look());
  }

  /** Another plan is in force; who was away before still is. */
  set plan(plan: WebhookPlan) {
    this.#plan = plan;
    this.#offline.grace = plan.grace;
  }

  /** Tells no more. Idempotent. */
  close(): void {
    this.#unsubscribe();
    this.#cancel();
    this.#offline.close();
    this.#interrupted.close();
  }

  #tell(event: WebhookEventName, facts: Record<string, unknown>): void {
    if (this.#plan.events.has(event)) this.#plan.webhook.tell({ event, ...facts });
  }

  #ago(since: number): number {
    return Math.round(this.#subject.core.settings.clock.now() - since);
  }

  /** One that is renamed is missed by its new name, and one that is gone no more. */
  #onChange(change: DevicesChange): void {
    const still = new Set(change.added.map(({ name }) => name));
    const names = renamedIn(change);
    for (const absences of [this.#offline, this.#interrupted]) {
      for (const { name } of change.removed) if (!still.has(name)) absences.end(name);
      absences.rename(names);
    }
  }

  #on(event: ServerEvent): void {
    switch (event.type) {
      case "link-up":
      case "link-resumed":
        return this.#onBack(nameOf(event), event.remote);
      case "link-interrupted": {
        const { reason, detail, remote } = event;
        this.#offline.begin(event.device, { reason, detail, remote });
        return this.#interrupted.begin(event.device, { reason, detail, remote });
      }
      case "link-down": {
        const { reason, detail, remote } = event;
        const device = nameOf(event);
        this.#interrupted.end(device);
        if (this.#subject.core.registry?.session(event.device)?.link) return; // another link has its place
        return this.#offline.begin(device, { reason, detail, remote });
      }
      case "host-open":
        return void this.#failed.delete(`${event.device} ${event.localAddress}`);
      case "host-failed": {
        const { device, localAddress: service, hostAddress, error } = event;
        const key = `${device} ${service}`;
        if (this.#failed.has(key) || this.#failed.size >= MAX_FAILED_SERVICES) return;
        this.#failed.add(key);
        return this.#tell("service-failed", { device, service, hostAddress, error });
      }
    }
  }

  #onBack(device: string, remote: string): void {
    const interrupted = this.#interrupted.end(device);
    const offline = this.#offline.end(device);
    const absence = offline ?? interrupted;
    if (absence) this.#tell("device-online", { device, remote, afterMs: this.#ago(absence.since) });
  }

  /** Whether somebody waits for a device: not if it is gone, or barred. */
  #isMissed(device: string): boolean {
    const { state, core } = this.#subject;
    const known = state?.devices.byName(device);
    if (known) return stateOf(known, core.settings.clock.wall()) === "active";
    return core.listeners.some(({ profile, address }) => profile === "v1" && address === device);
  }

  #look(): void {
    const { core, state } = this.#subject;
    const { clock } = core.settings;
    this.#cancel = clock.after(WEBHOOK_LOOK_MS, () => this.#look());
    for (const { name, used, most, reached } of limitsOf({ core, state }, 0)) {
      if (reached && !this.#reached.has(name)) {
        this.#reached.add(name);
        this.#tell("limit-reached", { limit: name, used, most });
      } else if (most !== null && used < LIMIT_CLEAR_PART * most) this.#reached.delete(name);
    }
    for (const listener of core.listeners) {
      const ends = listener instanceof V2Listener ? listener.certificateEnds : undefined;
      if (ends === undefined || ends - clock.wall() > CERTIFICATE_WARNING_MS) continue;
      const daily = this.#certificates.get(listener.address) ?? new DailyWarning();
      this.#certificates.set(listener.address, daily);
      if (!daily.due(ends, clock.wall())) continue;
      this.#tell("certificate-ends", { listen: listener.address, ends: new Date(ends).toISOString() });
    }
  }
}

/** On v1 it is the listener that stands for its one device. */
function nameOf(
  { device, remote, listen }: { readonly device: string; readonly remote: string; readonly listen: string },
) {
  return device === remote ? listen : device;
}
