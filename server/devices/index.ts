/**
 * Devices by what no two may share: names, keys and host ports. Asking does not grow with their number.
 *
 * @module
 */

import type { AuthorizedDevice } from "./authorized_devices.ts";
import type { Steps } from "../../base/slices.ts";
import { unknownDevice } from "./edits.ts";
import { PortClaims } from "../ports/port_claims.ts";
import { formatGrantedAddress, type ServiceGrant } from "./service_grant.ts";

/** What is looked up of a device. */
type IndexedDevice = Pick<AuthorizedDevice, "name" | "key" | "services" | "disabled">;

/** Devices that are there, or are about to be. */
export class DeviceIndex {
  readonly #keys = new Map<string, string>();
  readonly #names = new Map<string, readonly ServiceGrant[]>();
  readonly #ports = new PortClaims();

  /** One with `devices`, in steps: there may be many thousands. */
  static *of(devices: Iterable<IndexedDevice>): Steps<DeviceIndex> {
    const index = new DeviceIndex();
    for (const device of devices) {
      index.add(device);
      yield;
    }
    return index;
  }

  /** One more. */
  add({ name, key, services, disabled }: IndexedDevice): void {
    this.#names.set(name, services);
    this.#keys.set(key, name);
    if (!disabled) this.reserve(name, services);
  }

  /** Holds ports for a device that is not there yet. */
  reserve(owner: string, services: readonly ServiceGrant[]): void {
    for (const service of services) this.#ports.add(owner, service);
  }

  /** The name of the device with a key, if there is one. */
  byKey(key: string): string | undefined {
    return this.#keys.get(key);
  }

  /** Why a device could not be let in as things stand, if so. */
  conflict(
    { device, services, replace }: {
      readonly device: string;
      readonly services?: readonly ServiceGrant[];
      readonly replace: boolean;
    },
  ): string | undefined {
    const there = this.#names.get(device);
    if (there && !replace) {
      const offers = there.map(({ name, listen }) => `${name}=${formatGrantedAddress(listen)}`).join(" ");
      return `there is a device "${device}" already; --replace gives it a new key; to change what it offers ` +
        `(${offers || "nothing"}) and until when: "service add", "service move", "service remove", "expire"`;
    }
    if (!there && replace) return unknownDevice(device, this.#names.keys()).message;
    const own = new PortClaims();
    for (const service of services ?? []) {
      const taken = this.#ports.find(service.listen, device) ?? own.find(service.listen);
      if (taken) {
        return `"${taken.device}" has ${formatGrantedAddress(taken.service.listen)} for "${taken.service.name}"; ` +
          `give "${service.name}" another host port, or 0 for any free one`;
      }
      own.add(device, service);
    }
    return undefined;
  }
}
