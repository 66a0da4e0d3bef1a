/**
 * What a device keeps: its key, and what `join` was told about its server.
 *
 * @module
 */

import { stringify } from "smol-toml";
import { sameBytes } from "../../protocol/bytes.ts";
import { type Address, formatAddress, parseAddress } from "../../protocol/address.ts";
import { type Security, SECURITY_MODES, TOKEN_ID_SIZE, TOKEN_SECRET_SIZE } from "../../protocol/enrolment.ts";
import { formatPublicKey, parsePublicKey } from "../../net/tls/identity.ts";
import { removeStateFile, withLock, writePrivateFile } from "../../app/files/private_file.ts";
import { demand, hexBytes, readState, toHex } from "../../app/files/state.ts";
import { oneOf, parsePath } from "../../app/values.ts";

/** What a device was told. Its key is beside it: `loadIdentity` of the same folder. */
export interface StoredDevice {
  /** The server's public key, 32 bytes. */
  readonly serverKey: Uint8Array;
  /** How TLS proves the server. */
  readonly security: Security;
  /** The file of the private CA that the server's certificate is from; absent for those that the runtime knows. */
  readonly ca?: string;
  /** Where the server may be reached, in the order to try. */
  readonly addresses: readonly Address[];
  /** What the device offers, as it was written: `ssh=127.0.0.1:22`. */
  readonly services: readonly string[];
  /** The enrolment that has not been redeemed yet; to be left out once the server has let the device in. */
  readonly enrolment?: { readonly tokenId: Uint8Array; readonly tokenSecret: Uint8Array };
  /** Identifies the enrolment that was redeemed: its string may be given again. */
  readonly redeemed?: Uint8Array;
}

const FILE = "device.toml";
/** What the device had joined before, while the enrolment that stands in the other file has not been redeemed. */
const FILE_BEFORE = "device-before.toml";

/** Stores what a device was told, whole or not at all. */
export async function saveDevice(folder: string, device: StoredDevice): Promise<void> {
  await withLock(folder, async () => {
    const before = device.enrolment && await loadDevice(folder);
    if (before && !before.enrolment) await write(folder, before, FILE_BEFORE);
    await write(folder, device);
  });
}

/**
 * Forgets an enrolment that was redeemed, if it is still the one that is stored: the owner may have joined again since.
 *
 * @throws {ConfigError} as {@linkcode loadDevice}.
 */
export async function forgetEnrolment(folder: string, tokenId: Uint8Array): Promise<void> {
  await withLock(folder, async () => {
    const stored = await loadDevice(folder);
    if (!stored?.enrolment || !sameBytes(stored.enrolment.tokenId, tokenId)) return;
    const { enrolment: _redeemed, ...rest } = stored;
    await write(folder, { ...rest, redeemed: tokenId });
    removeBefore(folder);
  });
}

/**
 * Goes back to what the device had joined before, as an enrolment was refused, if it is still the one that is stored.
 *
 * @returns what stands again, if there was such a thing.
 * @throws {ConfigError} as {@linkcode loadDevice}.
 */
export async function restoreBefore(folder: string, tokenId: Uint8Array): Promise<StoredDevice | undefined> {
  return await withLock(folder, async () => {
    const stored = await loadDevice(folder);
    if (!stored?.enrolment || !sameBytes(stored.enrolment.tokenId, tokenId)) return undefined;
    const before = await loadBefore(folder);
    if (!before) return undefined;
    await write(folder, before);
    removeBefore(folder);
    return before;
  });
}

/**
 * Changes the services that are stored.
 *
 * @returns what is stored now.
 * @throws {ConfigError} as {@linkcode loadDevice}, and what `edit` throws.
 */
export async function changeServices(
  folder: string,
  edit: (before: readonly string[]) => readonly string[],
): Promise<readonly string[]> {
  return await withLock(folder, async () => {
    const stored = await loadDevice(folder);
    const services = edit(stored?.services ?? []);
    if (stored) await write(folder, { ...stored, services });
    return services;
  });
}

/** What is left of it after a crash does no harm: the next join writes it anew. */
function removeBefore(folder: string): void {
  removeStateFile(`${folder}/${FILE_BEFORE}`);
}

function write(folder: string, device: StoredDevice, file = FILE): Promise<void> {
  const { serverKey, security, ca, addresses, services, enrolment, redeemed } = device;
  const text = stringify({
    server: addresses.map(formatAddress),
    "server-key": formatPublicKey(serverKey),
    security,
    ...(ca !== undefined && { ca }),
    service: [...services],
    ...(enrolment && { enrolment: { id: toHex(enrolment.tokenId), secret: toHex(enrolment.tokenSecret) } }),
    ...(redeemed && { redeemed: toHex(redeemed) }),
  });
  return writePrivateFile(`${folder}/${file}`, `# Written by "device join" and "device service".\n${text}`);
}

/**
 * Reads what a device was told, if it ever was.
 *
 * @throws {ConfigError} with file, line and column if it is damaged, and if others can read it.
 */
export function loadDevice(folder: string): Promise<StoredDevice | undefined> {
  return load(folder, FILE);
}

/** Reads what a device had joined before, while an enrolment that has not been redeemed stands in its place. As {@linkcode loadDevice}. */
export function loadBefore(folder: string): Promise<StoredDevice | undefined> {
  return load(folder, FILE_BEFORE);
}

async function load(folder: string, file: string): Promise<StoredDevice | undefined> {
  const table = await readState(`${folder}/${file}`);
  if (!table) return undefined;
  const addresses = demand(table, "server", table.list("server", parseAddress));
  if (addresses.length === 0) throw table.error("server", `"server" is empty; join again`);
  const token = table.table("enrolment");
  const redeemed = table.one("redeemed", hexBytes(TOKEN_ID_SIZE));
  const ca = table.one("ca", parsePath);
  const device: StoredDevice = {
    serverKey: demand(table, "server-key", table.one("server-key", (text) => parsePublicKey(text, "server key"))),
    security: demand(table, "security", table.one("security", oneOf(...SECURITY_MODES))),
    ...(ca !== undefined && { ca }),
    addresses,
    services: demand(table, "service", table.list("service", String)),
    ...(token && {
      enrolment: {
        tokenId: demand(token, "id", token.one("id", hexBytes(TOKEN_ID_SIZE))),
        tokenSecret: demand(token, "secret", token.one("secret", hexBytes(TOKEN_SECRET_SIZE))),
      },
    }),
    ...(redeemed && { redeemed }),
  };
  table.rejectUnknown();
  return device;
}
