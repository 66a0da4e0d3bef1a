/**
 * What a server tells the commands beside it: where it can be reached, and how it proves itself.
 *
 * @module
 */

import { stringify } from "smol-toml";
import { type Address, formatAddress, parseAddress } from "../../protocol/address.ts";
import { type Security, SECURITY_MODES } from "../../protocol/enrolment.ts";
import { readPrivateFile, withLock, writePrivateFile } from "../../app/files/private_file.ts";
import { demand, readState } from "../../app/files/state.ts";
import { oneOf } from "../../app/values.ts";

/** What a server writes into its state when it starts. */
export interface ServerFacts {
  /** Where it listens for devices. */
  readonly addresses: readonly Address[];
  /** How TLS proves it. */
  readonly security: Security;
  /** The file of authorized devices, if it is not the one in the state. */
  readonly devices?: string;
  /** The file of its certificate, if it has one of a CA. */
  readonly certificate?: string;
  /** The file of its audit, if it has one. */
  readonly audit?: string;
}

const FILE = "server.toml";

/** Writes the facts into the state of a server, unless they stand there. */
export async function writeFacts(folder: string, facts: ServerFacts): Promise<void> {
  const text = stringify({ ...facts, addresses: facts.addresses.map(formatAddress) });
  const source = `# Written by the server when it starts.\n${text}`;
  if (await readPrivateFile(`${folder}/${FILE}`) === source) return; // also where nothing can be written
  await withLock(folder, () => writePrivateFile(`${folder}/${FILE}`, source));
}

/** Reads the facts, if a server has ever started with this state. */
export async function readFacts(folder: string): Promise<ServerFacts | undefined> {
  const table = await readState(`${folder}/${FILE}`);
  if (!table) return undefined;
  const addresses = demand(table, "addresses", table.list("addresses", parseAddress));
  const security = demand(table, "security", table.one("security", oneOf(...SECURITY_MODES)));
  const devices = table.one("devices", String);
  const certificate = table.one("certificate", String);
  const audit = table.one("audit", String);
  table.rejectUnknown();
  return {
    addresses,
    security,
    ...(devices && { devices }),
    ...(certificate && { certificate }),
    ...(audit && { audit }),
  };
}

/** The file of authorized devices: as given, else as the server was given, else in the state. */
export function devicesFile(folder: string, given: string | undefined, facts?: ServerFacts): string {
  return given ?? facts?.devices ?? `${folder}/devices.toml`;
}
