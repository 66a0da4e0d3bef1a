/**
 * A server reads its configuration anew while it runs: what can change does, and nobody is cut for it.
 *
 * @module
 */

import type { HookRunner } from "../../../app/hooks/hooks.ts";
import { setLogLevel } from "../../../app/logging.ts";
import type { AdminWish } from "../../../app/admin/options.ts";
import type { MovingAdmin } from "../../../app/admin/http/moving.ts";
import type { MovingMetrics } from "../../../app/metrics/moving.ts";
import { keepAliveOf, writeKeepAlive } from "../../../app/link_options.ts";
import { changeText, optionChange, type OptionValues } from "../../../app/options.ts";
import { afterChanges, type Change, changeAll, type Preparation } from "../../../app/reload/change.ts";
import { differing, inForce, isSame, type Reloaded, ReloadReport } from "../../../app/reload/report.ts";
import { changingBy } from "../../../app/reload/table.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import { ListenError } from "../../../net/listener.ts";
import { V1_KEEP_ALIVE } from "../../../protocol/keep_alive.ts";
import type { AdminContext } from "../../admin/context.ts";
import { adjustable } from "../../options.ts";
import type { ServerControl } from "../../server.ts";
import { CAPACITY_OPTIONS } from "../../capacity/options.ts";
import { SERVER_OPTIONS, type ServerConfig } from "../config.ts";
import type { WebhookWish } from "../webhook.ts";
import { type ListenersOptions, ListenersReload } from "./listeners.ts";
import { prepareAudit, type Prepared, WebhookReload } from "./outlets.ts";
import { SERVER_RELOAD } from "./table.ts";

/** What a server was told. */
export interface ServerTold {
  readonly values: OptionValues<typeof SERVER_OPTIONS>;
  readonly config: ServerConfig;
  readonly webhook: WebhookWish | undefined;
  readonly admin: AdminWish;
}

/** What has an effect here. */
export interface ServerReloadOptions extends Omit<ListenersOptions, "core"> {
  readonly told: ServerTold;
  /** Reads all of it anew. @throws {ConfigError} if it cannot be in force. */
  read(): Promise<ServerTold>;
  readonly core: ServerControl;
  readonly context: AdminContext;
  readonly admin: MovingAdmin;
  readonly metrics: MovingMetrics;
  readonly hooks: Pick<HookRunner, "replace">;
  /** Prepares that the file of devices is in force as it stands now. @throws {ConfigError} if it cannot be. */
  prepareDevices(): Promise<Prepared | undefined>;
}

const LATER = changingBy(SERVER_RELOAD, "at the next start");
const FOR_THOSE_TO_COME = changingBy(SERVER_RELOAD, "for links and clients to come");
const KEEP_ALIVE: ReadonlySet<string> = new Set(["keep-alive", "idle-timeout", "probe-interval", "probe-count"]);
const AT_ONCE: ReadonlySet<string> = new Set(["log-level", "warn-bytes-a-day", "metrics-per-device"]);
/** Options that are compared by what they come to, and said by that. */
const OF_LISTENERS: ReadonlySet<string> = new Set([
  ...["listen", "profile", "forward", "tls-cert", "tls-key", "proxy-from", "plain"],
]);

/** Reloads a server. */
export class ServerReload {
  readonly #options: ServerReloadOptions;
  readonly #listeners: ListenersReload;
  readonly #webhook: WebhookReload;
  #told: ServerTold;

  /** `told` is what it runs with. */
  constructor(options: ServerReloadOptions) {
    this.#options = options;
    this.#told = options.told;
    this.#listeners = new ListenersReload(options.told.config.listen, options);
    this.#webhook = new WebhookReload(options.told.webhook, options.context);
  }

  /**
   * Does it. One call at a time.
   *
   * @throws {ConfigError} for a mistake, or something that cannot be had: nothing has changed then.
   */
  async reload(): Promise<Reloaded> {
    const before = this.#told;
    const after = await this.#options.read();
    const report = new ReloadReport();
    const names = differing(before.values, after.values).filter((name) => !OF_LISTENERS.has(name));
    try {
      report.changed.push(...await changeAll(this.#preparations(before, after, names, report)));
    } catch (error) {
      throw error instanceof ListenError ? new ConfigError(error.message, { cause: error }) : error;
    }
    const waiting = names.filter((name) => LATER.has(name));
    report.wait(waiting);
    this.#told = { ...after, values: inForce(before.values, after.values, waiting) };
    if (names.includes("audit")) { // commands beside the server write into it, too
      await afterChanges(report.changed, () => this.#options.listenersChanged(this.#listeners.told));
    }
    return report;
  }

  *#preparations(
    before: ServerTold,
    after: ServerTold,
    names: readonly string[],
    report: ReloadReport,
  ): Iterable<Preparation> {
    const { context, admin, metrics, hooks, prepareDevices } = this.#options;
    const change = changesBetween(before, after);
    /** Whether the options of a prefix are others, or what stands in their files is, as `what` is said then. */
    const part =
      (what: string, prefix: string, prepare: () => Prepared | undefined | Promise<Prepared | undefined>) =>
      async (): Promise<Change | undefined> => {
        const prepared = await prepare();
        const own = names.filter((name) => name === prefix || name.startsWith(`${prefix}-`));
        return prepared && { ...prepared, told: own.length > 0 ? own.map(change) : [what] };
      };
    yield () => this.#listeners.prepare(after.config.listen, report);
    yield part("the token of the admin API", "admin", () => admin.prepare(after.admin));
    yield async () => {
      const prepared = await metrics.prepare(after.values.metrics);
      return prepared && { ...prepared, told: [change("metrics")] };
    };
    yield part("audit", "audit", () => prepareAudit(context, after.values.audit));
    yield part("the secret of the webhook", "webhook", () => this.#webhook.prepare(after.webhook));
    yield () => this.#adjust(before, after, names);
    if (!isSame(before.config.hooks, after.config.hooks)) {
      yield () => ({ told: ["hooks"], commit: () => hooks.replace(after.config.hooks) });
    }
    yield async () => {
      const prepared = await prepareDevices(); // last, as nobody else reads them meanwhile
      return prepared && { ...prepared, told: [] }; // they have a line of their own in the log
    };
  }

  /** What needs nothing that could fail. */
  #adjust(before: ServerTold, after: ServerTold, names: readonly string[]): Change {
    const { core, context } = this.#options;
    const { values, config } = after;
    const change = changesBetween(before, after);
    const told = names.flatMap((name) => {
      if (FOR_THOSE_TO_COME.has(name)) return [`${change(name)}, for links and clients to come`];
      return AT_ONCE.has(name) || name in CAPACITY_OPTIONS ? [change(name)] : [];
    });
    if (names.some((name) => KEEP_ALIVE.has(name))) {
      told.push(changeText("keep-alive", keepAliveText(before), keepAliveText(after)));
    }
    return {
      told,
      async commit() {
        core.adjust(adjustable(config));
        if (names.some((name) => KEEP_ALIVE.has(name))) await core.spreadKeepAlive();
        if (names.includes("log-level")) setLogLevel(values["log-level"] ?? "info");
        context.series.perDevice = values["metrics-per-device"] !== "off";
      },
    };
  }
}

/** Says of options how they are others. */
function changesBetween({ values: before }: ServerTold, { values: after }: ServerTold): (name: string) => string {
  return (name) => optionChange(SERVER_OPTIONS, name as keyof typeof SERVER_OPTIONS, before, after);
}

/** What all its options come to; where there are listeners of v1 alone, for those. */
function keepAliveText({ values, config: { listen, keepAlive } }: ServerTold): string {
  const isV2 = listen.some(({ profile }) => profile === "v2");
  return writeKeepAlive(isV2 && keepAlive !== undefined ? keepAlive : keepAliveOf(values, V1_KEEP_ALIVE));
}
