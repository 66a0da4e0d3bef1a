/**
 * A device reads its configuration anew while it runs: what can change does, and no client is cut for it.
 *
 * @module
 */

import type { MovingAdmin } from "../../app/admin/http/moving.ts";
import type { AdminWish } from "../../app/admin/options.ts";
import type { HookRunner } from "../../app/hooks/hooks.ts";
import { setLogLevel } from "../../app/logging.ts";
import type { MovingMetrics } from "../../app/metrics/moving.ts";
import { writeKeepAlive } from "../../app/link_options.ts";
import { changeText, optionChange, type OptionValues } from "../../app/options.ts";
import { type Change, changeAll, type Preparation } from "../../app/reload/change.ts";
import { differing, inForce, isSame, type Reloaded, ReloadReport } from "../../app/reload/report.ts";
import { changingBy } from "../../app/reload/table.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { ListenError } from "../../net/listener.ts";
import { UnprovableError } from "../../net/tls/proof.ts";
import type { StartedDevice } from "../device.ts";
import { deviceAdjustable, type DeviceWay } from "../options.ts";
import { DEVICE_OPTIONS, type DeviceConfig } from "./config.ts";
import { DEVICE_RELOAD } from "./reload_table.ts";
import type { ServiceText } from "./service_option.ts";

/** What a device was told, with all that follows from it. */
export interface Told {
  readonly values: OptionValues<typeof DEVICE_OPTIONS>;
  readonly config: DeviceConfig;
  /** Where it dials, with the files that were named. */
  readonly way: DeviceWay;
  readonly admin: AdminWish;
}

/** What has an effect here. */
export interface DeviceReloadOptions {
  readonly told: Told;
  /** Reads all of it anew. @throws {ConfigError} if it cannot be in force. */
  read(): Promise<Told>;
  readonly device: StartedDevice;
  /** Whether the process cannot trust other CAs than those of its start, as on the portable engine. */
  readonly hasFixedTrust: boolean;
  readonly admin: MovingAdmin;
  readonly metrics: MovingMetrics;
  readonly hooks: Pick<HookRunner, "replace">;
}

const OVER_A_NEW_LINK = changingBy(DEVICE_RELOAD, "over a new link");
const LATER = changingBy(DEVICE_RELOAD, "at the next start");
const FOR_THOSE_TO_COME = changingBy(DEVICE_RELOAD, "for links and clients to come");
const KEEP_ALIVE: ReadonlySet<string> = new Set(["keep-alive", "idle-timeout", "probe-interval", "probe-count"]);
/** What v1 has no word for while a link is there. */
const OF_V2: ReadonlySet<string> = new Set(["service", "mode"]);

/** Reloads a device. */
export class DeviceReload {
  readonly #options: DeviceReloadOptions;
  #told: Told;

  /** `told` is what it runs with. */
  constructor(options: DeviceReloadOptions) {
    this.#options = options;
    this.#told = options.told;
  }

  /** Whether its services stand in its options. */
  get hasOwnServices(): boolean {
    return this.#told.config.profile === "v1" || this.#told.values.service !== undefined;
  }

  /** Does it. @throws {ConfigError} for a mistake, or something that cannot be had: nothing has changed then. */
  async reload(): Promise<Reloaded> {
    const before = this.#told;
    const after = await this.#options.read();
    const report = new ReloadReport();
    const names = differing(before.values, after.values);
    if (before.config.profile !== after.config.profile) {
      report.wait(["profile"]);
      return report;
    }
    const onWay = differentOnWay(before.way, after.way, names);
    const wayWaits = this.#options.hasFixedTrust && trustOf(before.way) !== trustOf(after.way);
    try {
      report.changed.push(...await changeAll(this.#preparations(before, after, names, wayWaits ? [] : onWay)));
    } catch (error) {
      const isOurs = error instanceof ListenError || error instanceof UnprovableError;
      throw isOurs ? new ConfigError(error.message, { cause: error }) : error;
    }
    const isV2 = after.config.profile === "v2";
    const waiting = new Set(names.filter((name) => LATER.has(name) || !isV2 && OF_V2.has(name)));
    if (wayWaits) { for (const name of onWay) waiting.add(name); }
    report.wait([...waiting].sort());
    this.#told = {
      ...after,
      values: inForce(before.values, after.values, waiting),
      config: inForce(after.config, before.config, CHANGED_PARTS.slice(isV2 ? 0 : 1)),
      way: wayWaits ? before.way : after.way,
    };
    return report;
  }

  *#preparations(
    before: Told,
    after: Told,
    names: readonly string[],
    onWay: readonly string[],
  ): Iterable<Preparation> {
    const { admin, metrics, hooks } = this.#options;
    const change = changesBetween(before, after);
    yield async () => {
      const prepared = await admin.prepare(after.admin);
      const own = names.filter((name) => name === "admin" || name === "admin-token-file");
      return prepared && { ...prepared, told: own.length > 0 ? own.map(change) : ["the token of the admin API"] };
    };
    yield async () => {
      const prepared = await metrics.prepare(after.values.metrics);
      return prepared && { ...prepared, told: [change("metrics")] };
    };
    if (after.config.profile === "v2") yield* this.#serviceChanges(before.config.services, after.config.services);
    yield () => this.#adjust(before, after, names);
    if (onWay.length > 0) yield () => this.#changeWay(after.way, onWay);
    const { config } = after;
    if (config.profile === "v2" && names.includes("allow")) {
      yield () => ({ told: ["allow"], commit: () => this.#options.device.ways.setAllow(config.allow ?? []) });
    }
    if (!isSame(before.config.hooks, after.config.hooks)) {
      yield () => ({ told: ["hooks"], commit: () => hooks.replace(after.config.hooks) });
    }
  }

  /** What needs nothing that could fail. */
  #adjust(before: Told, after: Told, names: readonly string[]): Change {
    const { handle, adjust } = this.#options.device;
    const { values, config } = after;
    const change = changesBetween(before, after);
    const isMode = config.profile === "v2" && names.includes("mode");
    const isKeepAlive = names.some((name) => KEEP_ALIVE.has(name)) && config.keepAlive !== undefined;
    const level = values["log-level"] ?? "info";
    return {
      told: [
        ...names.filter((name) => FOR_THOSE_TO_COME.has(name)).map((name) =>
          `${change(name)}, for links and clients to come`
        ),
        ...(names.includes("log-level") ? [change("log-level")] : []),
        ...(isMode ? [change("mode")] : []),
        ...(isKeepAlive
          ? [changeText("keep-alive", writeKeepAlive(before.config.keepAlive!), writeKeepAlive(config.keepAlive!))]
          : []),
      ],
      commit() {
        adjust(deviceAdjustable(config));
        if (names.includes("log-level")) setLogLevel(level);
        if (isMode) handle.setMode(values.mode ?? "run");
        const { keepAlive } = config;
        if (!isKeepAlive || keepAlive === undefined) return;
        handle.setKeepAliveSettings(keepAlive, keepAlive === "metered" ? "both" : "device"); // as at the start
      },
    };
  }

  /** Dials another way, while the link that is up goes on if its session can; else when that has ended. */
  #changeWay(way: DeviceWay, names: readonly string[]): Change {
    const { ways } = this.#options.device;
    const prepared = ways.prepare(way);
    const moves = ways.canMove(prepared);
    const when = moves
      ? "over a new link, which is dialled now"
      : "from the next link on: the clients of this one could not go on over it";
    return {
      told: names.map((name) => `${name}, ${when}`),
      commit() {
        prepared.commit();
        if (moves) ways.redial();
      },
    };
  }

  /** Offers what is new, what is other, and no more what has gone. */
  *#serviceChanges(
    before: readonly Partial<ServiceText>[],
    after: readonly Partial<ServiceText>[],
  ): Iterable<Preparation> {
    const { handle, ways, lackOf } = this.#options.device;
    const gone = new Map(before.flatMap(({ named }) => named!.map((each) => [each.name, each])));
    const put = after.flatMap(({ text, named }) => {
      const isNew = !named!.some(({ name }) => gone.has(name));
      const changed = named!.filter((each) => !isSame(gone.get(each.name), each));
      for (const { name } of named!) gone.delete(name);
      return changed.length === 0 ? [] : [{ told: isNew ? `services: ${text} is new` : `service ${text}`, changed }];
    });
    for (const name of gone.keys()) { // first, as there may be as many as there can be
      yield () => ({
        told: [`services: ${name} is offered no more`],
        commit: () => void handle.takeService(name),
      });
    }
    for (const { told, changed } of put) {
      const lacks = changed.map(lackOf).find((each) => each !== undefined); // of one that is stored: others are refused
      yield () => ({
        told: [lacks === undefined ? told : `${told}, which is not offered: ${lacks}`],
        commit: () => changed.forEach((each) => ways.keepService(each)),
      });
    }
  }
}

/** What is in force of a configuration at once; the first of them on v2 alone. */
const CHANGED_PARTS = ["services", "keepAlive", "hooks"] as const;

/** The names of options of which others make another way to the server; what `join` has stored, and what is in a file, is none. */
function differentOnWay(before: DeviceWay, after: DeviceWay, names: readonly string[]): string[] {
  const found = new Set(names.filter((name) => OVER_A_NEW_LINK.has(name)));
  const parts = differing({ ...before }, { ...after });
  for (const [part, name] of [["server", "server"], ["serverKey", "server-key"], ["caCerts", "ca"]] as const) {
    if (parts.includes(part)) found.add(name);
  }
  const isExplained = ["server", "pki", "plain", "ca"].some((name) => found.has(name));
  if (parts.includes("security") && !isExplained) found.add("security");
  return [...found].sort();
}

/** What a server is known by. */
function trustOf(way: DeviceWay): string {
  if (way.profile === "v1") return "";
  const { security = "pinned", caCerts = [] } = way;
  return JSON.stringify([security, caCerts]);
}

/** Says of options how they are others. */
function changesBetween({ values: before }: Told, { values: after }: Told): (name: string) => string {
  return (name) => optionChange(DEVICE_OPTIONS, name as keyof typeof DEVICE_OPTIONS, before, after);
}
