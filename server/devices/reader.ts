/**
 * What the file of devices says: each device, and where to find it. Reading it again costs what has changed, and goes in
 * steps: it may have many thousands of devices, and links have to have their turns.
 *
 * @module
 */

import { ConfigError } from "../../app/toml/config_error.ts";
import { demandKnownConfig } from "../../app/files/state_version.ts";
import { TomlTable } from "../../app/toml/table.ts";
import { atOnce, type Steps } from "../../base/slices.ts";
import { closingSection } from "./open_value.ts";
import { cutSections } from "./sections.ts";
import type { AccessRules } from "../access/rules.ts";
import { type AuthorizedDevice, DEFAULTS, readDefaults, readDevice } from "./entry.ts";
import { PortClaims } from "../ports/port_claims.ts";
import { formatGrantedAddress } from "./service_grant.ts";

/** The devices of a file, in its order, and the ways to find them. */
export interface DevicesFound {
  /** All of them. */
  readonly devices: readonly AuthorizedDevice[];
  /** By public key, as text. */
  readonly byKey: ReadonlyMap<string, AuthorizedDevice>;
  readonly byName: ReadonlyMap<string, AuthorizedDevice>;
  /** The fixed host ports of those that are not disabled. */
  readonly claims: PortClaims;
  /** The rules for all. */
  readonly defaults: AccessRules;
}

/** A device, and how to say what is wrong with it. */
interface Entry {
  readonly device: AuthorizedDevice;
  /** Its table, for the place of a mistake. */
  table(): TomlTable;
}

/** Sections that are TOML by themselves: one, or those that a value of several lines reaches across. */
interface Piece {
  readonly text: string;
  /** Lines in front of it. */
  readonly line: number;
  /** The devices of which it has all, or a part. */
  readonly names: readonly string[];
  /** What it says, if it was parsed just now. */
  readonly top: TomlTable | undefined;
}

/** What a text means. */
interface Meaning {
  readonly names: readonly string[];
  /** Its devices, once it was read as all that there is of them. */
  readonly devices?: readonly AuthorizedDevice[];
  /** The rules for all, if they are among it. */
  readonly defaults?: AccessRules;
}

type FullMeaning = Meaning & Required<Pick<Meaning, "devices">>;

/** All that the pieces say. */
interface Entries {
  readonly devices: readonly Entry[];
  readonly defaults: AccessRules;
}

/** Reads the file again and again, and remembers what the parts of its text meant. */
export class DeviceReader {
  readonly #file: string;
  /** What was read last time, by the text of a piece, or of all pieces of a device. */
  #known = new Map<string, Meaning>();
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
    const known = new Map<string, Meaning>();
    const pieces = yield* this.#pieces(source, known);
    const entries = yield* this.#entries(pieces, known);
    this.#known = known;
    return yield* this.#check(entries);
  }

  *#pieces(source: string, known: Map<string, Meaning>): Steps<Piece[]> {
    const sections = yield* cutSections(source);
    const pieces: Piece[] = [];
    for (let n = 0; n < sections.length; n++) {
      yield;
      const { start, end, line } = sections[n]!;
      let piece = this.#piece(source.slice(start, end), line);
      if (!piece) {
        const last = (yield* closingSection(source, sections, n)) ?? n;
        if (last > n) piece = this.#piece(source.slice(start, sections[last]!.end), line);
        n = piece ? last : sections.length;
      }
      piece ??= this.#rest(source.slice(start), line);
      pieces.push(piece);
      known.set(piece.text, this.#known.get(piece.text) ?? { names: piece.names });
    }
    return pieces;
  }

  /** A piece of this text, unless that is no TOML by itself. */
  #piece(text: string, line: number): Piece | undefined {
    const known = this.#known.get(text);
    if (known) return { text, line, names: known.names, top: undefined };
    this.sectionsRead++;
    try {
      const top = this.#parse(text);
      return { text, line, names: top.names, top };
    } catch (error) {
      if (error instanceof ConfigError) return undefined; // told with its place, if it is one of the whole
      throw error;
    }
  }

  /** All that is left as one piece. @throws {ConfigError} as a rule: what is no TOML here is none, wherever it ends. */
  #rest(text: string, line: number): Piece {
    const top = this.#parse(text, line);
    return { text, line, names: top.names, top };
  }

  /** Reads the devices of the pieces, in the order in which they begin. */
  *#entries(pieces: readonly Piece[], known: Map<string, Meaning>): Steps<Entries> {
    const groups = yield* groupPieces(pieces);
    const read = new Set<readonly Piece[]>();
    const waiting = new Map<string, Entry>();
    const devices: Entry[] = [];
    let defaults: AccessRules = {};
    for (const { names } of pieces) {
      yield;
      for (const name of names) {
        const group = groups.get(name)!;
        if (read.size < read.add(group).size) {
          const meaning = this.#meaningOf(group, known);
          defaults = meaning.defaults ?? defaults;
          for (const device of meaning.devices) {
            waiting.set(device.name, { device, table: () => this.#placed(group).table(device.name)! });
          }
        }
        const entry = waiting.get(name);
        if (entry && waiting.delete(name)) devices.push(entry);
      }
    }
    return { devices, defaults };
  }

  #meaningOf(group: readonly Piece[], known: Map<string, Meaning>): FullMeaning {
    const text = group.map((piece) => piece.text).join("");
    const before = this.#known.get(text);
    const meaning = before?.devices ? before as FullMeaning : this.#read(text, group);
    known.set(text, meaning);
    return meaning;
  }

  /** A mistake is told from the text as it stands in the file. */
  #read(text: string, group: readonly Piece[]): FullMeaning {
    try {
      return readAll(group.length === 1 && group[0]!.top || this.#parse(text));
    } catch (error) {
      if (error instanceof ConfigError) readAll(this.#placed(group));
      throw error;
    }
  }

  /** Pieces where they stand in the file, without what is between them. */
  #placed(group: readonly Piece[]): TomlTable {
    let [text, lines] = ["", 0];
    for (const piece of group) {
      text += "\n".repeat(piece.line - lines) + piece.text;
      lines = piece.line + piece.text.split("\n").length - 1;
    }
    return this.#parse(text);
  }

  #parse(text: string, line = 0): TomlTable {
    return TomlTable.parse(this.#file, "\n".repeat(line) + text);
  }

  /** Finds what two devices cannot both have. */
  *#check({ devices: entries, defaults }: Entries): Steps<DevicesFound> {
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
    return { devices: entries.map(({ device }) => device), byKey, byName, claims, defaults };
  }
}

/** Reads a text of the file in one go. @throws {ConfigError} as {@linkcode DeviceReader.read} does. */
export function parseDevices(file: string, source: string): AuthorizedDevice[] {
  return [...atOnce(new DeviceReader(file).read(source)).devices];
}

/** Puts pieces together that have parts of the same devices. @returns all that belongs to each name, in its order. */
function* groupPieces(pieces: readonly Piece[]): Steps<Map<string, Piece[]>> {
  const groups = new Map<string, Piece[]>();
  const merged = new Set<Piece[]>();
  for (const piece of pieces) {
    yield;
    let group: Piece[] = [];
    for (const name of piece.names) {
      let other = groups.get(name);
      if (other === undefined || other === group) continue;
      if (other.length > group.length) [group, other] = [other, group]; // so that a large one is not moved
      for (const each of other) {
        group.push(each);
        for (const moved of each.names) groups.set(moved, group);
      }
      if (other.length > 0) merged.add(group);
    }
    group.push(piece);
    for (const name of piece.names) groups.set(name, group);
  }
  for (const group of merged) group.sort((a, b) => a.line - b.line);
  return groups;
}

function readAll(top: TomlTable): FullMeaning {
  const { names } = top;
  const rules = names.includes(DEFAULTS) ? top.table(DEFAULTS) : undefined;
  const defaults = rules && readDefaults(rules);
  const isVersion = (name: string) => name === "version" && !top.isTable(name); // a device may be called so, too
  if (names.some(isVersion)) demandKnownConfig(top);
  for (const name of names) {
    if (top.isTable(name) || isVersion(name)) continue;
    throw top.error(
      name,
      `"${name}" stands in no table; each device has one by its name, [gw1], and what is its own below`,
    );
  }
  const devices = names.flatMap((name) =>
    top.isTable(name) && name !== DEFAULTS ? readDevice(name, top.table(name)!) : []
  );
  top.rejectUnknown();
  return { names, devices, ...(defaults && { defaults }) };
}
