/**
 * The file of enrolments: what is written, and what is read again.
 *
 * @module
 */

import { stringify, TomlDate } from "smol-toml";
import { TOKEN_ID_SIZE } from "../../protocol/enrolment.ts";
import { parseName } from "../../protocol/name.ts";
import { parsePublicKey } from "../../net/tls/identity.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { readPrivateFile, stampOf, writePrivateFile } from "../../app/files/private_file.ts";
import { demand, hexBytes, toHex } from "../../app/files/state.ts";
import { TomlTable } from "../../app/toml/table.ts";
import { parseTime } from "../../app/values.ts";
import { parseComment } from "../devices/authorized_devices.ts";
import { readGrants } from "../devices/grant_table.ts";
import { formatGrantedAddress, type ServiceGrant } from "../devices/service_grant.ts";

/** What an enrolment gives to the device that redeems it. */
export interface EnrolmentRequest {
  /** The device's name. */
  readonly device: string;
  /** What it may offer; with `replace`, `undefined` keeps what it has. */
  readonly services?: readonly ServiceGrant[];
  /** When the device may no longer link up, in milliseconds since 1970. */
  readonly expires?: number;
  /** For people. */
  readonly comment?: string;
  /** Whether it is for a device that is there, and gets another key. */
  readonly replace: boolean;
}

/** An enrolment that was made; its secret is known to nobody here. */
export interface PendingEnrolment extends EnrolmentRequest {
  /** Which one it is, 8 bytes in hexadecimal. */
  readonly id: string;
  /** SHA-256 of the secret: the key of the proof. */
  readonly secretHash: Uint8Array<ArrayBuffer>;
  /** Until when it can be redeemed, in milliseconds since 1970. */
  readonly validUntil: number;
  /** The public key that redeemed it, as text. */
  readonly usedBy?: string;
}

const FILE = "enrolments.toml";

/** What stands at the top of the file, and at its end: a file without its end is not whole. */
const HEADING = `# Enrolments that were made, by "server enroll". The last line says that none is missing.\n`;
const END = "# That is all.\n";

/**
 * Reads all enrolments of a state.
 *
 * @throws {ConfigError} if the file is damaged: whoever has a string that is missing would be sent away for good.
 */
export async function readEnrolments(folder: string): Promise<PendingEnrolment[]> {
  return parse(folder, await readPrivateFile(`${folder}/${FILE}`));
}

/** Writes all enrolments of a state. To be called under its lock. */
export function writeEnrolments(folder: string, all: readonly PendingEnrolment[]): Promise<void> {
  return writePrivateFile(`${folder}/${FILE}`, format(all), "in-place");
}

/** What changes when the enrolments of a state do. */
export function enrolmentsStamp(folder: string): string {
  return stampOf(`${folder}/${FILE}`);
}

/** The enrolments of a state for whoever changes them often: the file is parsed again only when another has changed it. */
export class EnrolmentStore {
  readonly #folder: string;
  #source: string | undefined;
  #all: readonly PendingEnrolment[] = [];

  /** Those in the state `folder`. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * All enrolments. To be called under the lock of the state, as all that follows.
   *
   * @throws {ConfigError} if the file is damaged.
   */
  async read(): Promise<readonly PendingEnrolment[]> {
    const source = await readPrivateFile(`${this.#folder}/${FILE}`);
    if (source === undefined || source !== this.#source) {
      this.#all = parse(this.#folder, source);
      this.#source = source;
    }
    return this.#all;
  }

  /** Writes all enrolments. */
  async write(all: readonly PendingEnrolment[]): Promise<void> {
    this.#source = undefined;
    const text = format(all);
    await writePrivateFile(`${this.#folder}/${FILE}`, text, "in-place");
    [this.#all, this.#source] = [all, text];
  }
}

function parse(folder: string, source: string | undefined): PendingEnrolment[] {
  if (source === undefined) return [];
  const path = `${folder}/${FILE}`;
  if (source.trim() === "" || source.startsWith(HEADING) && !source.endsWith(END)) {
    throw new ConfigError(`${path} is not whole: its end is missing; restore it, or remove it and make new strings`);
  }
  const top = TomlTable.parse(path, source);
  const all = (top.tables("enrolment") ?? []).map(readEnrolment);
  top.rejectUnknown();
  return all;
}

/** What an enrolment looks like in the file, once that was asked. */
const texts = new WeakMap<PendingEnrolment, string>();

function format(all: readonly PendingEnrolment[]): string {
  return HEADING + all.map((enrolment) => {
    const text = texts.get(enrolment) ?? stringify({ enrolment: [toTable(enrolment)] });
    texts.set(enrolment, text);
    return text;
  }).join("\n") + END;
}

function readEnrolment(table: TomlTable): PendingEnrolment {
  const services = table.table("services");
  const expires = table.one("expires", parseTime);
  const comment = table.one("comment", parseComment);
  const usedBy = table.one("used-by", (text) => (parsePublicKey(text), text));
  return {
    id: demand(table, "id", table.one("id", (text) => toHex(hexBytes(TOKEN_ID_SIZE)(text)))),
    secretHash: demand(table, "secret-sha256", table.one("secret-sha256", hexBytes(32))),
    device: demand(table, "device", table.one("device", parseName)),
    validUntil: demand(table, "valid-until", table.one("valid-until", parseTime)),
    replace: table.flag("replace") ?? false,
    ...(services && { services: readGrants(services) }),
    ...(expires !== undefined && { expires }),
    ...(comment !== undefined && { comment }),
    ...(usedBy !== undefined && { usedBy }),
  };
}

function toTable(enrolment: PendingEnrolment): Record<string, unknown> {
  const { id, secretHash, device, validUntil, replace, services, expires, comment, usedBy } = enrolment;
  return {
    id,
    "secret-sha256": toHex(secretHash),
    device,
    "valid-until": new TomlDate(new Date(validUntil)),
    ...(replace && { replace }),
    ...(expires !== undefined && { expires: new TomlDate(new Date(expires)) }),
    ...(comment !== undefined && { comment }),
    ...(usedBy !== undefined && { "used-by": usedBy }),
    ...(services && { services: Object.fromEntries(services.map((grant) => [grant.name, grantTable(grant)])) }),
  };
}

function grantTable({ listen, maxClients, idleTimeout, proxyFrom }: ServiceGrant): Record<string, unknown> {
  return {
    listen: formatGrantedAddress(listen),
    ...(maxClients !== undefined && { "max-clients": maxClients }),
    ...(idleTimeout !== undefined && { "idle-timeout": `${idleTimeout}ms` }),
    ...(proxyFrom && { "proxy-from": [...proxyFrom] }),
  };
}
