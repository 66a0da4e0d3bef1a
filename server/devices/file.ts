/**
 * The file of authorized devices for whoever adds to it often: it is parsed again only when somebody else has changed it.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { inSlices } from "../../base/slices.ts";
import { readPrivateFile, writeStateFile } from "../../app/files/private_file.ts";
import { type AuthorizedDevice, parseDevices } from "./authorized_devices.ts";
import { DeviceIndex } from "./index.ts";
import { addDevice, HEADING, type ReadDevices, readerOf } from "./edits.ts";

/** A device that is to be added. */
export type NewDevice = Omit<AuthorizedDevice, "disabled">;

/** The file as it was read last. To be used under the lock of the state. */
export class DeviceFile {
  readonly #file: string;
  readonly #read: ReadDevices;
  #source: string | undefined;
  #index: DeviceIndex | undefined;

  /**
   * @param file Where it is.
   * @param read Reads a text of it; by default at once, as a command does.
   */
  constructor(file: string, read: ReadDevices = readerOf(file)) {
    this.#file = file;
    this.#read = read;
  }

  /**
   * The devices that are there now.
   *
   * @throws {ConfigError} if the file cannot be used.
   */
  async read(): Promise<DeviceIndex> {
    const source = await readPrivateFile(this.#file, false) ?? "";
    if (!this.#index || this.#source === undefined || source !== this.#source) {
      const { devices } = await this.#read(source);
      this.#index = await inSlices(DeviceIndex.of(devices), systemClock);
      this.#source = source;
    }
    return this.#index;
  }

  /**
   * Writes devices at the end, whole or not at all, which were added to what {@linkcode read} returned.
   *
   * @throws {ConfigError} if what is new could not be read again; {MachineError} if it cannot be written now.
   */
  async append(devices: readonly NewDevice[]): Promise<void> {
    if (devices.length === 0) return;
    const before = this.#source || HEADING;
    const text = devices.reduce((text, device) => addDevice(device)(text, this.#file), before);
    this.#source = undefined; // until it is written, the index is ahead of the file
    parseDevices(this.#file, text.slice(before.trimEnd().length)); // tables at the end change nothing before them
    await writeStateFile(this.#file, text);
    this.#source = text;
  }

  /** Forgets what was read, as somebody else changes the file. */
  forget(): void {
    this.#source = undefined;
  }
}
