/**
 * What is done to devices in the files of a state, whether the server runs or not: the commands and the admin API do it
 * by this alone.
 *
 * @module
 */

import { ConfigError } from "../../app/toml/config_error.ts";
import { MAX_TAGS } from "../../app/limits.ts";
import { describeError } from "../../base/errors.ts";
import { withLock } from "../../app/files/private_file.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import { consentToLoss } from "../devices/consent.ts";
import {
  confined,
  type DeviceEdit,
  type ReadDevices,
  readDevicesBy,
  readerOf,
  removeDevice,
  renameDevice,
  setDisabled,
  setExpiry,
  setTags,
  unknownDevice,
  updateDevices,
} from "../devices/edits.ts";
import { unknownServiceText } from "../devices/grant_table.ts";
import { formatGrantedAddress, type GrantedPlace, type ServiceGrant } from "../devices/service_grant.ts";
import { addService, moveService, removeService } from "../devices/service_table.ts";
import type { Enrolments } from "./enrolments.ts";

/** Where devices are kept. */
export interface DeviceActsOptions {
  /** The state of the server. */
  readonly folder: string;
  /** The file of authorized devices. */
  readonly file: string;
  /** Strings that wait. */
  readonly enrolments: Enrolments;
  /** For whoever remembers what the file meant before, and has something else to do meanwhile. */
  readonly read?: ReadDevices;
  /** What could not be done, and keeps nobody from what was asked for. */
  warn(line: string): void;
}

/** Changes devices, one at a time, under the lock of the state. */
export class DeviceActs {
  readonly #options: DeviceActsOptions;
  readonly #read: ReadDevices;

  /** Of the files that `options` name. */
  constructor(options: DeviceActsOptions) {
    this.#options = options;
    this.#read = options.read ?? readerOf(options.file);
  }

  /** Bars a device, or lets it in again. @throws {ConfigError} if it is not there, or cannot be edited. */
  setDisabled(device: string, disabled: boolean): Promise<void> {
    return this.#locked(async () => {
      const { key } = await this.#demand(device);
      if (disabled) await this.#mean(key);
      await this.#update(device, setDisabled(device, disabled));
    });
  }

  /** Sets until when a device may link up, in milliseconds since 1970; `undefined`: for ever. */
  expire(device: string, at: number | undefined): Promise<void> {
    return this.change(device, setExpiry(device, at), ({ expires: _before, ...rest }) =>
      // As the file has it, which knows whole seconds.
      at === undefined ? rest : { ...rest, expires: Math.ceil(at / 1000) * 1000 });
  }

  /** Gives a device tags, and takes others from it. @throws {ConfigError} if there would be too many. */
  async tag(device: string, more: readonly string[], gone: readonly string[] = []): Promise<void> {
    const tagsOf = ({ tags = [] }: AuthorizedDevice) => {
      const all = [...new Set([...tags, ...more])].filter((tag) => !gone.includes(tag));
      if (all.length > MAX_TAGS) {
        throw new ConfigError(`"${device}" would have ${all.length} tags; ${MAX_TAGS} are the most`);
      }
      return all;
    };
    const before = (await this.#all()).byName.get(device);
    const tags = before ? tagsOf(before) : [];
    await this.change(device, setTags(device, tags), (before) => ({ ...before, tags: tagsOf(before) }));
  }

  /** Grants a device one more service. @throws {ConfigError} if it has one of that name. */
  grantService(device: string, grant: ServiceGrant): Promise<void> {
    const { name } = grant;
    return this.#changeServices(device, addService(device, grant), (before) => {
      const there = before.find((service) => service.name === name);
      if (!there) return [...before, grant];
      const at = formatGrantedAddress(there.listen);
      throw new ConfigError(`"${device}" has the service "${name}" already, at ${at}; "service move" gives it another`);
    });
  }

  /** Gives a service another host address; its clients are ended, its rules stay. @throws {ConfigError} if it is not there. */
  moveService(device: string, name: string, listen: GrantedPlace): Promise<void> {
    return this.#changeServices(device, moveService(device, name, listen), (before) => {
      demandService(device, name, before);
      return before.map((service) => service.name === name ? { ...service, listen } : service);
    });
  }

  /** Takes a service from a device. @throws {ConfigError} if it is not there. */
  withdrawService(device: string, name: string): Promise<void> {
    return this.#changeServices(device, removeService(device, name), (before) => {
      demandService(device, name, before);
      return before.filter((service) => service.name !== name);
    });
  }

  #changeServices(
    device: string,
    edit: DeviceEdit,
    wanted: (before: readonly ServiceGrant[]) => readonly ServiceGrant[],
  ): Promise<void> {
    return this.change(device, edit, (before) => ({ ...before, services: wanted(before.services) }));
  }

  /** Removes a device, and what waits for it. @returns how many enrolments waited. */
  revoke(device: string): Promise<number> {
    const { enrolments } = this.#options;
    return this.#locked(async () => {
      const { devices, byName } = await this.#all();
      const there = byName.get(device);
      const count = await enrolments.withdraw(device); // first: what is revoked must not come back
      if (!there && count === 0) {
        const waiting = (await enrolments.waiting()).map(({ device }) => device);
        throw unknownDevice(device, [...devices.map(({ name }) => name), ...waiting]);
      }
      if (!there) return count;
      await this.#mean(there.key);
      await this.#update(device, removeDevice(device));
      return count;
    });
  }

  /** Gives a device another name. */
  rename(before: string, after: string): Promise<void> {
    return this.#locked(async () => {
      await this.#demand(before);
      if ((await this.#all()).byName.has(after)) {
        throw new ConfigError(`there is a device "${after}" already; take another name`);
      }
      if ((await this.#options.enrolments.waiting()).some(({ device }) => device === after)) {
        throw new ConfigError(`an enrolment of "${after}" waits; revoke that first, or take another name`);
      }
      await this.#update(before, renameDevice(before, after));
    });
  }

  /**
   * Changes one device of the file.
   *
   * @param wanted What is to come of it; it throws if it cannot.
   * @throws {ConfigError} if the device is not there, or is written in a way that `edit` does not understand.
   */
  change(device: string, edit: DeviceEdit, wanted: (before: AuthorizedDevice) => AuthorizedDevice): Promise<void> {
    return this.#locked(async () => {
      const { devices, byName } = await this.#all();
      const before = byName.get(device);
      if (before) return await this.#update(device, edit, wanted(before));
      if ((await this.#options.enrolments.waiting()).some((waiting) => waiting.device === device)) {
        throw new ConfigError(
          `"${device}" has not used its enrolment string yet; enroll it anew with what it should have`,
        );
      }
      throw unknownDevice(device, devices.map(({ name }) => name));
    });
  }

  #locked<T>(fn: () => Promise<T>): Promise<T> {
    return withLock(this.#options.folder, fn);
  }

  #all() {
    return readDevicesBy(this.#options.file, this.#read);
  }

  async #demand(device: string): Promise<AuthorizedDevice> {
    const { devices, byName } = await this.#all();
    const found = byName.get(device);
    if (!found) throw unknownDevice(device, devices.map(({ name }) => name));
    return found;
  }

  async #update(device: string, edit: DeviceEdit, wanted?: AuthorizedDevice): Promise<void> {
    await updateDevices(this.#options.file, device, confined(device, edit), wanted, this.#read);
  }

  /** Says that a device is to lose access: a running server believes it at once, however many others go with it. */
  async #mean(key: string): Promise<void> {
    try {
      await consentToLoss(this.#options.folder, key);
    } catch (error) {
      // A full disk must not keep anybody in: one device alone is believed without this.
      this.#options.warn(describeError(error));
    }
  }
}

function demandService(device: string, service: string, services: readonly ServiceGrant[]): void {
  if (services.some(({ name }) => name === service)) return;
  throw new ConfigError(unknownServiceText(device, service, services));
}
