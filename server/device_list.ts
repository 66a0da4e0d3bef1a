/**
 * Devices that may link up, kept in memory: for programs that have a server in them.
 *
 * @module
 */

import { Emitter } from "../net/emitter.ts";
import { formatPublicKey } from "../net/identity.ts";
import { type Logger, silentLogger } from "../net/logger.ts";
import type { AuthorizedDevice, DevicesChange } from "./authorized_devices.ts";
import type { DeviceDirectory } from "./options.ts";

/**
 * A directory of devices that the program changes itself; changes hold at once, as those of the file do.
 *
 * @example
 * ```ts
 * import { createIdentity, formatPublicKey } from "../net/identity.ts";
 * import { DeviceList } from "./device_list.ts";
 * import { parseGrant } from "./service_grant.ts";
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
  readonly #changes: Emitter<DevicesChange>;

  /** A list that begins with `devices`. */
  constructor(devices: Iterable<AuthorizedDevice> = [], logger: Logger = silentLogger) {
    this.#changes = new Emitter(logger);
    for (const device of devices) this.#devices.set(device.key, device);
  }

  /** The device with a public key, if there is one. */
  byKey(publicKey: Uint8Array): AuthorizedDevice | undefined {
    return this.#devices.get(formatPublicKey(publicKey));
  }

  /** Calls `subscriber` for every change from now on. @returns what ends that. */
  subscribe(subscriber: (change: DevicesChange) => void): () => void {
    return this.#changes.subscribe(subscriber);
  }

  /** Adds a device, or changes the one with its key. */
  put(device: AuthorizedDevice): void {
    const before = this.#devices.get(device.key);
    this.#devices.set(device.key, device);
    this.#changes.emit({
      added: before ? [] : [device],
      removed: [],
      changed: before ? [{ before, after: device }] : [],
    });
  }

  /** Revokes the device with a key, as text: its link ends. @returns whether there was one. */
  remove(key: string): boolean {
    const device = this.#devices.get(key);
    if (!device) return false;
    this.#devices.delete(key);
    this.#changes.emit({ added: [], removed: [device], changed: [] });
    return true;
  }
}
