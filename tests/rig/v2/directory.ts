/**
 * Who may link up and who may enrol, kept in memory and changed by tests.
 *
 * @module
 */

import { formatPublicKey } from "../../../net/tls/identity.ts";
import type { AccessRules } from "../../../server/access/rules.ts";
import type { AuthorizedDevice, DevicesChange } from "../../../server/devices/authorized_devices.ts";
import type { DeviceDirectory, EnrolmentDesk } from "../../../server/options.ts";

/** A list of authorized devices. */
export class Directory implements DeviceDirectory {
  readonly #devices = new Map<string, AuthorizedDevice>();
  #defaults: AccessRules = {};
  readonly #subscribers = new Set<(change: DevicesChange) => void>();

  byKey(publicKey: Uint8Array): AuthorizedDevice | undefined {
    return this.#devices.get(formatPublicKey(publicKey));
  }

  subscribe(subscriber: (change: DevicesChange) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** The rules for all. */
  get defaults(): AccessRules {
    return this.#defaults;
  }

  set defaults(rules: AccessRules) {
    this.#defaults = rules;
    this.#tell({ added: [], removed: [], changed: [], defaults: true });
  }

  /** Those who listen for changes. */
  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Adds a device, or changes the one with its key. */
  put(after: AuthorizedDevice): void {
    const before = this.#devices.get(after.key);
    this.#devices.set(after.key, after);
    this.#tell(
      before ? { added: [], removed: [], changed: [{ before, after }] } : { added: [after], removed: [], changed: [] },
    );
  }

  /** Takes a device off the list. */
  remove({ key }: Pick<AuthorizedDevice, "key">): void {
    const device = this.#devices.get(key);
    this.#devices.delete(key);
    if (device) this.#tell({ added: [], removed: [device], changed: [] });
  }

  #tell(change: DevicesChange): void {
    for (const subscriber of this.#subscribers) subscriber(change);
  }
}

/** One token, good for one device. */
export class Desk implements EnrolmentDesk {
  /** What the device is given: the id, and the SHA-256 of the secret. */
  readonly token: { readonly id: Uint8Array; readonly key: Uint8Array };
  readonly #directory: Directory;
  readonly #makeDevice: (key: string) => AuthorizedDevice;
  #owner: string | undefined;

  /** Whoever redeems the token becomes the device that `makeDevice` makes of its key. */
  constructor(directory: Directory, makeDevice: (key: string) => AuthorizedDevice) {
    this.token = {
      id: crypto.getRandomValues(new Uint8Array(8)),
      key: crypto.getRandomValues(new Uint8Array(32)),
    };
    this.#directory = directory;
    this.#makeDevice = makeDevice;
  }

  secretHash(token: Uint8Array): Promise<Uint8Array | undefined> {
    return Promise.resolve(token.join() === this.token.id.join() ? this.token.key : undefined);
  }

  redeem(_token: Uint8Array, publicKey: Uint8Array): Promise<AuthorizedDevice | { readonly refused: string }> {
    const key = formatPublicKey(publicKey);
    if (this.#owner !== undefined && this.#owner !== key) {
      return Promise.resolve({ refused: "this enrolment string was used already" });
    }
    this.#owner = key;
    const device = this.#makeDevice(key);
    this.#directory.put(device);
    return Promise.resolve(device);
  }
}
