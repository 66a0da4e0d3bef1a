/**
 * Devices that came with versions of the wire that this server does not speak: whose key they showed, which nobody proved.
 *
 * @module
 */

import type { IncompatibleHello } from "../../protocol/v2/wire/handshake.ts";
import type { Time } from "../../base/clock.ts";
import type { Transport } from "../../net/transport.ts";
import type { IncompatibleDevice } from "../handle/device_status.ts";
import type { ServerEvent } from "../events.ts";
import type { DeviceDirectory } from "../options.ts";
import type { RegisteredDevice } from "./registered_device.ts";

/** The last word of each; only of devices that may come, so they are no more than those. */
export class IncompatibleDevices {
  readonly #directory: Pick<DeviceDirectory, "byKey">;
  readonly #sessionOf: (key: string) => RegisteredDevice | undefined;
  readonly #time: Time;
  readonly #emit: (event: ServerEvent) => void;
  readonly #all = new Map<string, IncompatibleDevice>();

  /** None yet. `sessionOf` finds the device of a key. */
  constructor(
    directory: Pick<DeviceDirectory, "byKey">,
    sessionOf: (key: string) => RegisteredDevice | undefined,
    time: Time,
    emit: (event: ServerEvent) => void,
  ) {
    this.#directory = directory;
    this.#sessionOf = sessionOf;
    this.#time = time;
    this.#emit = emit;
  }

  /** The keys of all. */
  get keys(): readonly string[] {
    return [...this.#all.keys()];
  }

  /** What the device of a key said, if it came so. */
  get(key: string): IncompatibleDevice | undefined {
    return this.#all.get(key);
  }

  /** One came, and is turned away. While a device is linked that proved the key, nobody else counts. */
  came({ deviceKey, versions, software }: IncompatibleHello, { local: listen, remote }: Transport): void {
    const device = deviceKey && this.#directory.byKey(deviceKey);
    if (!device || this.#sessionOf(device.key)?.link?.links.online) return;
    this.#all.set(device.key, { versions, software, remote, at: this.#time.wall() });
    this.#emit({ type: "incompatible", listen, device: device.name, remote, versions, software });
  }

  /** The device of a key has come with versions that do, or may not come any more. */
  delete(key: string): void {
    this.#all.delete(key);
  }
}
