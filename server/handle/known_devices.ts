/**
 * The v2 devices that came since the server runs, as they are now: those with a session, and those that do not fit.
 *
 * @module
 */

import { keepAlivePlan } from "../../protocol/keep_alive.ts";
import { parsePublicKey } from "../../net/tls/identity.ts";
import type { DeviceRegistry } from "../v2/device_registry.ts";
import type { RegisteredDevice } from "../v2/registered_device.ts";
import type { ServerSettings } from "../options.ts";
import { describeDevice, describeIncompatible, type IncompatibleDevice, type ServedDevice } from "./device_status.ts";

/** Finds them, by key or name. A server without v2 listeners has none. */
export class KnownDevices {
  readonly #registry: DeviceRegistry | undefined;
  readonly #settings: ServerSettings;

  /** Those of `registry`. */
  constructor(registry: DeviceRegistry | undefined, settings: ServerSettings) {
    this.#registry = registry;
    this.#settings = settings;
  }

  /** All of them. */
  get all(): ServedDevice[] {
    if (!this.#registry) return [];
    const { sessions, incompatible } = this.#registry;
    const keys = new Set([...sessions.map(({ device }) => device.key), ...incompatible.keys]);
    return [...keys].flatMap((key) => this.describe(key) ?? []);
  }

  /** The device of a key. */
  describe(key: string): ServedDevice | undefined {
    const [session, incompatible] = [this.session(key), this.incompatible(key)];
    if (session) return describeDevice(session, incompatible);
    const device = incompatible && this.#settings.v2?.devices.byKey(parsePublicKey(key));
    return device && describeIncompatible(device, incompatible, keepAlivePlan(this.#settings.keepAlive).idle);
  }

  /** The session of the device of a key. */
  session(key: string): RegisteredDevice | undefined {
    return this.#registry?.sessionOf(key);
  }

  /** What the device of a key said, if it came last with versions that do not fit. */
  incompatible(key: string): IncompatibleDevice | undefined {
    return this.#registry?.incompatible.get(key);
  }

  /** The key of the device of a name, if it may come, or came. */
  keyOf(name: string): string | undefined {
    const found = this.#settings.v2?.devices.byName?.(name) ?? this.#registry?.session(name)?.device;
    return found?.key ?? this.#registry?.incompatible.keys.find((key) => this.nameOf(key) === name);
  }

  /** The name of the device of a key now, if it may come. */
  nameOf(key: string): string | undefined {
    return this.session(key)?.deviceName ?? this.#settings.v2?.devices.byKey(parsePublicKey(key))?.name;
  }
}
