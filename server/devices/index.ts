/**
 * Devices by what no two may share: names, keys and host ports. Asking does not grow with their number.
 *
 * @module
 */

import type { AuthorizedDevice } from "./authorized_devices.ts";
import { unknownDevice } from "./table.ts";
import { formatGrantedAddress, overlaps, type ServiceGrant } from "./service_grant.ts";

/** What is looked up of a device. */
type IndexedDevice = Pick<AuthorizedDevice, "name" | "key" | "services" | "disabled">;

/** Devices that are there, or are about to be. */
export class DeviceIndex {
  readonly #keys = new Map<string, string>();
  readonly #names = new Map<string, readonly ServiceGrant[]>();
  /** By host port: only one fixed port is somebody's alone. */
  readonly #ports = new Map<number, { readonly owner: string; readonly grant: ServiceGrant }[]>();

  /** Begins with `devices`. */
  constructor(devices: Iterable<IndexedDevice>) {
    for (const device of devices) this.add(device);
  }

  /** One more. */
  add({ name, key, services, disabled }: IndexedDevice): void {
    this.#names.set(name, services);
    this.#keys.set(key, name);
    if (!disabled) this.reserve(name, services);
  }

  /** Holds ports for a device that is not there yet. */
  reserve(owner: string, services: readonly ServiceGrant[]): void {
    for (const grant of services) {
      const { from, to } = grant.listen;
      if (from !== to || from === 0) continue;
      const others = this.#ports.get(from) ?? [];
      others.push({ owner, grant });
      this.#ports.set(from, others);
    }
  }

  /** The name of the device with a key, if there is one. */
  byKey(key: string): string | undefined {
    return this.#keys.get(key);
  }

  /** Whether there is a device of this name. */
  has(name: string): boolean {
    return this.#names.has(name);
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
    const own: ServiceGrant[] = [];
    for (const service of services ?? []) {
      const other = this.#ports.get(service.listen.from)
        ?.find(({ owner, grant }) => owner !== device && overlaps(grant.listen, service.listen));
      const twin = own.find((grant) => overlaps(grant.listen, service.listen));
      const [owner, grant] = other ? [other.owner, other.grant] : [device, twin];
      if (grant) {
        return `"${owner}" has ${formatGrantedAddress(grant.listen)} for "${grant.name}"; ` +
          `give "${service.name}" another host port, or 0 for any free one`;
      }
      own.push(service);
    }
    return undefined;
  }
}
