/**
 * Devices that may link up, kept in memory: for programs that have a server in them.
 *
 * @module
 */

import { Emitter } from "../../base/emitter.ts";
import { formatPublicKey } from "../../net/tls/identity.ts";
import { type Logger, silentLogger } from "../../base/logger.ts";
import type { AuthorizedDevice, DevicesChange } from "./authorized_devices.ts";
import type { AccessRules } from "../access/rules.ts";
import { checkDevice, checkRules } from "../check_options.ts";
import type { DeviceDirectory } from "../options.ts";

/**
 * A directory of devices that the program changes itself; changes hold at once, as those of the file do.
 *
 * @example
 * ```ts
 * import { createIdentity, DeviceList, formatPublicKey, parseGrant } from "@sallyport/sallyport";
 * import assert from "node:assert/strict";
 *
 * const { publicKey } = await createIdentity();
 * const devices = new DeviceList();
 * devices.put({ name: "gw1", key: formatPublicKey(publicKey), services: [parseGrant("ssh=0.0.0.0:2201")], disabled: false });
 * assert.equal(devices.byKey(publicKey)?.name, "gw1");
 * ```
 */
export class DeviceList implements DeviceDirectory {
  readonly #devices = new Map<string, AuthorizedDevice>();
  readonly #keys = new Map<string, string>(); // by name
  readonly #changes: Emitter<DevicesChange>;
  #defaults: AccessRules = {};

  /**
   * A list that begins with `devices`.
   *
   * @throws {TypeError} or {RangeError} as {@linkcode DeviceList.put}.
   */
  constructor(devices: Iterable<AuthorizedDevice> = [], logger: Logger = silentLogger) {
    this.#changes = new Emitter(logger);
    for (const device of devices) {
      if (this.#devices.has(device?.key)) throw new TypeError(`device.key ${device.key} stands twice in the list`);
      this.#add(device);
    }
  }

  /** The device with a public key, if there is one. */
  byKey(publicKey: Uint8Array): AuthorizedDevice | undefined {
    return this.#devices.get(formatPublicKey(publicKey));
  }

  /** The device of a name, if there is one. */
  byName(name: string): AuthorizedDevice | undefined {
    const key = this.#keys.get(name);
    return key === undefined ? undefined : this.#devices.get(key);
  }

  /** The rules for the services of all, unless a device or a service has its own. */
  get defaults(): AccessRules {
    return this.#defaults;
  }

  /** @throws {TypeError} or {RangeError} with what cannot be. */
  set defaults(rules: AccessRules) {
    checkRules(rules, "defaults");
    this.#defaults = rules;
    this.#changes.emit({ added: [], removed: [], changed: [], defaults: true });
  }

  /** Calls `subscriber` for every change from now on. @returns what ends that. */
  subscribe(subscriber: (change: DevicesChange) => void): () => void {
    return this.#changes.subscribe(subscriber);
  }

  /**
   * Adds a device, or changes the one with its key.
   *
   * @throws {TypeError} or {RangeError} with what cannot be: a key that is none, a name that another device has.
   */
  put(device: AuthorizedDevice): void {
    const before = this.#devices.get(device?.key);
    this.#add(device);
    this.#changes.emit({
      added: before ? [] : [device],
      removed: [],
      changed: before ? [{ before, after: device }] : [],
    });
  }

  #add(device: AuthorizedDevice): void {
    checkDevice(device);
    const owner = this.#keys.get(device.name);
    if (owner !== undefined && owner !== device.key) {
      throw new TypeError(`device.name is "${device.name}", and another device has that name; give each its own`);
    }
    const before = this.#devices.get(device.key);
    if (before) this.#keys.delete(before.name);
    this.#keys.set(device.name, device.key);
    this.#devices.set(device.key, device);
  }

  /** Revokes the device with a key, as text: its link ends. @returns whether there was one. */
  remove(key: string): boolean {
    const device = this.#devices.get(key);
    if (!device) return false;
    this.#devices.delete(key);
    this.#keys.delete(device.name);
    this.#changes.emit({ added: [], removed: [device], changed: [] });
    return true;
  }
}
