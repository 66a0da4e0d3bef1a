/**
 * The device as a library: `connectDevice(options)`, which gives its handle.
 *
 * @module
 */

import { checkDeviceOptions } from "./check_options.ts";
import { Device } from "./reconnect/life.ts";
import type { DeviceHandle } from "./handle.ts";
import { type DeviceAdjustable, type DeviceOptions, deviceSettings } from "./options.ts";
import type { Ways } from "./reconnect/ways.ts";
import { lackOf } from "./endpoints/registry.ts";
import type { NamedService } from "./v2/named_service.ts";

/**
 * Dials the server, and again for ever when the link is lost. For a device that has a string of `server enroll` see
 * `joinFromString`.
 *
 * @throws {TypeError} or {RangeError} with the name and the value of an option that cannot be. {EngineError} for an engine that
 *   cannot be had, or cannot do what is asked for.
 *
 * @example A device that offers its ssh
 * ```ts
 * import { connectDevice, createIdentity, parseNamedService, parsePublicKey } from "@sallyport/sallyport";
 *
 * const device = connectDevice({
 *   profile: "v2",
 *   server: { host: "127.0.0.1", port: 7443 },
 *   serverKey: parsePublicKey("ed25519:48zjAWukORAAVe-hLFUprfiT0zIy9Du6_Db-rrl2caM"), // as `server key` prints it
 *   identity: await createIdentity(), // keep it: identityToPem, identityFromPem
 *   services: [parseNamedService("ssh=127.0.0.1:22")],
 * });
 * device.subscribe((event) => event.type === "service" && event.hostAddress); // where clients reach it
 * device.close();
 * await device.closed;
 * ```
 */
export function connectDevice(options: DeviceOptions): DeviceHandle {
  return startDevice(options).handle;
}

/** A device, with what changes it while it runs. */
export interface StartedDevice {
  readonly handle: DeviceHandle;
  /** Takes other values: they hold for links and clients to come. */
  adjust(values: DeviceAdjustable): void;
  /** Changes where it dials, what its server may name, and what it keeps to offer; and asks that what it grants. */
  readonly ways: Ways;
  /** What a service takes that this device has not, if so. */
  lackOf(service: NamedService): string | undefined;
}

/** The same as {@linkcode connectDevice}, with that; `keepsAll`: as {@linkcode deviceSettings} has it. */
export function startDevice(options: DeviceOptions, keepsAll = false): StartedDevice {
  checkDeviceOptions(options);
  const settings = deviceSettings(options, keepsAll);
  const device = new Device(options, settings);
  return {
    handle: device,
    adjust: (values) => void Object.assign(settings, values),
    ways: device.ways,
    lackOf: (service) => lackOf(service, settings.engine),
  };
}
