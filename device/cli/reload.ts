/**
 * A device reads its configuration anew while it runs: what can change does, and no client is cut for it.
 *
 * @module
 */

import type { HookRunner } from "../../app/hooks/hooks.ts";
import { setLogLevel } from "../../app/logging.ts";
import type { OptionValues } from "../../app/options.ts";
import { differing, inForce, isSame, type Reloaded, ReloadReport } from "../../app/reload/report.ts";
import type { DeviceHandle } from "../handle.ts";
import type { DEVICE_OPTIONS, DeviceConfig } from "./config.ts";
import type { ServiceText } from "./service_option.ts";

/** What a device was told, with all that follows from it. */
export interface Told {
  readonly values: OptionValues<typeof DEVICE_OPTIONS>;
  readonly config: DeviceConfig;
}

/** What has an effect here. */
export interface DeviceReloadOptions {
  readonly told: Told;
  /** Reads all of it anew. @throws {ConfigError} if it cannot be in force. */
  read(): Promise<Told>;
  readonly device: DeviceHandle;
  readonly hooks: Pick<HookRunner, "replace">;
}

/** Options of which the device takes another value while it runs. */
const CHANGING: ReadonlySet<string> = new Set(["log-level", "mode", "service"]);
const KEEP_ALIVE: ReadonlySet<string> = new Set(["keep-alive", "idle-timeout", "probe-interval", "probe-count"]);

/** Reloads a device. */
export class DeviceReload {
  readonly #options: DeviceReloadOptions;
  #told: Told;

  /** `told` is what it runs with. */
  constructor(options: DeviceReloadOptions) {
    this.#options = options;
    this.#told = options.told;
  }

  /** Does it. @throws {ConfigError} for a mistake, and nothing has changed then. */
  async reload(): Promise<Reloaded> {
    const { device, hooks } = this.#options;
    const before = this.#told;
    const after = await this.#options.read();
    const report = new ReloadReport();
    const names = differing(before.values, after.values);
    if (before.config.profile !== after.config.profile) {
      report.wait(["profile"]);
      return report;
    }
    const isV2 = after.config.profile === "v2";
    const services = isV2 ? this.#changeServices(before.config.services, after.config.services, report) : false;
    if (names.includes("log-level")) {
      const level = after.values["log-level"] ?? "info";
      setLogLevel(level);
      report.changed.push(`log-level ${level}`);
    }
    if (isV2 && names.includes("mode")) {
      const mode = after.values.mode ?? "run";
      device.setMode(mode);
      report.changed.push(`mode ${mode}`);
    }
    if (names.some((name) => KEEP_ALIVE.has(name)) && after.config.keepAlive !== undefined) {
      const { keepAlive } = after.config;
      device.setKeepAliveSettings(keepAlive, keepAlive === "metered" ? "both" : "device"); // as at the start
      report.changed.push("keep-alive");
    }
    if (!isSame(before.config.hooks, after.config.hooks)) {
      hooks.replace(after.config.hooks);
      report.changed.push("hooks");
    }
    const mayChange = (name: string) => isV2 ? CHANGING.has(name) : name === "log-level";
    const waiting = new Set(names.filter((name) => !mayChange(name) && !KEEP_ALIVE.has(name)));
    for (const name of ["server", "serverKey", "security", "ca"] as const) {
      if (!isSame(partOf(before, name), partOf(after, name))) waiting.add(name === "serverKey" ? "server-key" : name);
    }
    report.wait([...waiting].sort());
    this.#told = {
      values: inForce(before.values, after.values, waiting),
      config: {
        ...before.config,
        keepAlive: after.config.keepAlive,
        hooks: after.config.hooks,
        ...(services && { services: after.config.services }),
      } as DeviceConfig,
    };
    return report;
  }

  /** Offers what is new, what is other, and no more what has gone. */
  #changeServices(
    before: readonly Partial<ServiceText>[],
    after: readonly Partial<ServiceText>[],
    report: ReloadReport,
  ): true {
    const { device } = this.#options;
    const gone = new Map(before.flatMap(({ named }) => named!.map((each) => [each.name, each])));
    for (const { text, named } of after) {
      const changed = named!.filter((each) => !isSame(gone.get(each.name), each));
      for (const { name } of named!) gone.delete(name);
      for (const each of changed) device.putService(each);
      if (changed.length > 0) report.changed.push(`service ${text}`);
    }
    for (const name of gone.keys()) {
      device.takeService(name);
      report.changed.push(`service ${name} is offered no more`);
    }
    return true;
  }
}

function partOf({ config }: Told, name: "server" | "serverKey" | "security" | "ca"): unknown {
  return (config as Partial<Record<typeof name, unknown>>)[name];
}
