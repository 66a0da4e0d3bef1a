/**
 * Where a command finds the admin API of a daemon, and what it says if it cannot.
 *
 * @module
 */

import { parseAddress } from "../../../protocol/address.ts";
import { explained } from "../../files/private_folder.ts";
import { spotOf } from "../../files/spot.ts";
import { MachineError } from "../../files/machine_error.ts";
import type { OptionSpec } from "../../options.ts";
import { UnfinishedError } from "../../run.ts";
import { ConfigError } from "../../toml/config_error.ts";
import { type AdminClient, adminClient, AdminRefusal, NoAdminError } from "../client.ts";
import { ADMIN_OPTION } from "../options.ts";
import { ADMIN_SOCKET, readToken } from "../address.ts";

/** The option `--admin` of a command. */
export const ASK_OPTION = {
  ...ADMIN_OPTION,
  help: "where the admin API is: unix (the socket in the state's folder), or HOST:PORT",
} as const satisfies OptionSpec<string>;

/** What says where an API is. */
export interface AskedPlace {
  /** The folder of the daemon's state. */
  readonly folder: string;
  readonly admin: string | undefined;
  readonly tokenFile: string | undefined;
}

/**
 * Asks the API of a running daemon.
 *
 * @throws {ConfigError} for what is wrong with what was asked; {MachineError} while the daemon has too much to do;
 * {UnfinishedError} if there is no such daemon, or it cannot do that now.
 */
export async function askAdmin<T>(place: AskedPlace, work: (client: AdminClient) => Promise<T>): Promise<T> {
  using client = await openClient(place);
  try {
    return await work(client);
  } catch (error) {
    throw forUser(error);
  }
}

/** The same, if the API is there; `undefined` if it is not. */
export async function askIfThere<T>(
  place: AskedPlace,
  work: (client: AdminClient) => Promise<T>,
): Promise<T | undefined> {
  if (byTcp(place) === undefined && !isThere(`${place.folder}/${ADMIN_SOCKET}`)) return undefined;
  using client = await openClient(place);
  try {
    return await work(client);
  } catch (error) {
    if (error instanceof NoAdminError) return undefined;
    throw forUser(error);
  }
}

async function openClient(place: AskedPlace): Promise<AdminClient> {
  const address = byTcp(place);
  if (address !== undefined) {
    if (place.tokenFile === undefined) throw new ConfigError(`--admin ${address} needs --admin-token-file`);
    parseAddress(address);
    return adminClient({ address, token: await readToken(place.tokenFile) });
  }
  const socket = `${place.folder}/${ADMIN_SOCKET}`;
  if (!isThere(socket)) {
    throw new UnfinishedError(
      `nobody has a socket at ${socket}: nothing runs with that state, or without --admin unix; --state names another`,
    );
  }
  return adminClient({ socket });
}

/** Whether something stands there, and no link: where others have the folder in hand, it would lead root elsewhere. */
function isThere(socket: string): boolean {
  let facts;
  try {
    facts = spotOf(socket).ownFacts();
  } catch (error) {
    throw explained("look at", socket, error);
  }
  if (facts?.isSymlink) throw new ConfigError(`${socket} is a link, and no socket of a server; remove it`);
  return facts !== undefined;
}

function byTcp({ admin }: AskedPlace): string | undefined {
  if (admin === "off") throw new ConfigError("--admin off says that there is no admin API to ask");
  return admin === "unix" ? undefined : admin;
}

function forUser(error: unknown): unknown {
  if (error instanceof NoAdminError) return new UnfinishedError(error.message);
  if (!(error instanceof AdminRefusal)) return error;
  if (error.status === 503) return new MachineError(error.message, { cause: error });
  if (error.status === 409 || error.status >= 500) return new UnfinishedError(error.message);
  return new ConfigError(error.message, { cause: error });
}
