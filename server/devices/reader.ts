/**
 * What the file of devices says: each device, and where to find it. Reading it again costs what has changed, and goes in
 * steps: it may have many thousands of devices, and links have to have their turns.
 *
 * @module
 */

import { TomlError } from "smol-toml";
import { ConfigError } from "../../app/toml/config_error.ts";
import { TomlTable } from "../../app/toml/table.ts";
import { atOnce, type Steps } from "../../base/slices.ts";
import { cutSections, type DeviceSection } from "./sections.ts";
import { type AuthorizedDevice, readDevice } from "./entry.ts";
import { PortClaims } from "../ports/port_claims.ts";
import { formatGrantedAddress } from "./service_grant.ts";

/** The devices of a file, in its order, and the ways to find them. */
export interface DevicesFound {
  /** All of them. */
  readonly devices: readonly AuthorizedDevice[];
  /** By public key, as text. */
  readonly byKey: ReadonlyMap<string, AuthorizedDevice>;
  /** By name. */
  readonly byName: ReadonlyMap<string, AuthorizedDevice>;
  /** The fixed host ports of those that are not disabled. */
  readonly claims: PortClaims;
}

/** A device, and how to say what is wrong with it. */
interface Entry {
  readonly device: AuthorizedDevice;
  /** Its table, for the place of a mistake. */
  table(): TomlTable;
}

/** Reads the file again and again, and remembers what the parts of its text meant. */
export class DeviceReader {
  readonly #file: string;
  /** By the text of a section; nothing for one without a device. */
  #known = new Map<string, AuthorizedDevice | undefined>();
  /** Sections that were really read, since it was made: what a reading costs. */
  sectionsRead = 0;

  /** For texts of `file`, which is for messages. */
  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Reads a text.
   *
   * @throws {ConfigError} with file, line, column, and what would do.
   */
  *read(source: string): Steps<DevicesFound> {
    const sections = yield* cutSections(source);
    return yield* this.#check(yield* this.#entries(source, sections));
  }

  *#entries(source: string, sections: readonly DeviceSection[]): Steps<Entry[]> {
    const known = new Map<string, AuthorizedDevice | undefined>();
    const names = new Set<string>();
    const entries: Entry[] = [];
    for (const section of sections) {
      const { start, end, line } = section;
      yield;
      const text = source.slice(start, end);
      const at = (part: string) => TomlTable.parse(this.#file, "\n".repeat(line) + part); // so that places are right
      let device = this.#known.get(text);
      if (device === undefined && !this.#known.has(text)) {
        this.sectionsRead++;
        const top = this.#parse(text);
        if (!top) at(source.slice(start)); // which throws for what is no TOML, be it cut in the right place or not
        if (!top || top.names.length > 1) return yield* this.#whole(source);
        const [name] = top.names;
        try {
          if (name !== undefined) device = readOnly(name, top, () => at(text));
        } catch (error) {
          // Another part of the same device may stand elsewhere, and make it whole.
          if (sections.some((other) => other !== section && other.name === section.name)) {
            return yield* this.#whole(source);
          }
          throw error;
        }
      }
      if (device && names.size === names.add(device.name).size) return yield* this.#whole(source);
      known.set(text, device);
      if (device) {
        const { name } = device;
        entries.push({ device, table: () => at(text).table(name)! });
      }
    }
    this.#known = known;
    return entries;
  }

  /** What a section holds, or `undefined` if it is no TOML by itself. */
  #parse(text: string): TomlTable | undefined {
    try {
      return TomlTable.parse(this.#file, text);
    } catch (error) {
      if (error instanceof ConfigError && error.cause instanceof TomlError) return undefined;
      throw error;
    }
  }

  /** Reads a text that cannot be read in sections, or is no TOML. */
  *#whole(source: string): Steps<Entry[]> {
    const top = TomlTable.parse(this.#file, source);
    const entries: Entry[] = [];
    for (const name of top.names) {
      const table = top.table(name)!;
      entries.push({ device: readDevice(name, table), table: () => table });
      yield;
    }
    top.rejectUnknown();
    return entries;
  }

  /** Finds what two devices cannot both have. */
  *#check(entries: readonly Entry[]): Steps<DevicesFound> {
    const [byKey, byName] = [new Map<string, AuthorizedDevice>(), new Map<string, AuthorizedDevice>()];
    const claims = new PortClaims();
    for (const { device, table } of entries) {
      yield;
      const twin = byKey.get(device.key);
      if (twin) throw table().error("key", `"${twin.name}" has the same key; give every device its own`);
      byKey.set(device.key, device);
      byName.set(device.name, device);
    }
    for (const { device, table } of entries) {
      yield;
      if (device.disabled) continue;
      for (const service of device.services) {
        const other = claims.find(service.listen);
        if (other) {
          throw table().table("services")!.error(
            service.name,
            `"${other.device}" has ${formatGrantedAddress(other.service.listen)} for "${other.service.name}"; ` +
              `give "${service.name}" of "${device.name}" another host port`,
          );
        }
        claims.add(device.name, service);
      }
    }
    return { devices: entries.map(({ device }) => device), byKey, byName, claims };
  }
}

/** Reads a text of the file in one go. @throws {ConfigError} as {@linkcode DeviceReader.read} does. */
export function parseDevices(file: string, source: string): AuthorizedDevice[] {
  return [...atOnce(new DeviceReader(file).read(source)).devices];
}

/** Reads the device of a section; a mistake is told from `placed`, which is the same where it stands in the file. */
function readOnly(name: string, top: TomlTable, placed: () => TomlTable): AuthorizedDevice {
  try {
    return readWhole(name, top);
  } catch (error) {
    if (error instanceof ConfigError) readWhole(name, placed());
    throw error;
  }
}

function readWhole(name: string, top: TomlTable): AuthorizedDevice {
  const device = readDevice(name, top.table(name)!);
  top.rejectUnknown();
  return device;
}
