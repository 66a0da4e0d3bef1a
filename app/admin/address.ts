/**
 * Where an API may be, and the token that is asked for by TCP: what commands and options need of it.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import { isInNetwork } from "../../protocol/ip.ts";
import { readPrivateFile } from "../files/private_file.ts";
import { MIN_TOKEN } from "../limits.ts";
import { ConfigError } from "../toml/config_error.ts";

/** The socket's name in the folder of a state. */
export const ADMIN_SOCKET = "admin.sock";

/**
 * Demands an address that only this machine reaches: what is asked there is not encrypted.
 *
 * @throws {ConfigError} if it is another.
 */
export function demandLoopback(address: Address): void {
  if (!isLoopback(address)) throw new ConfigError(`Cannot have the admin API there: ${notLoopback(address)}`);
}

/** Whether only this machine reaches an address. */
export function isLoopback({ host }: Address): boolean {
  return host === "localhost" || ["127.0.0.0/8", "::1/128"].some((network) => isInNetwork(host, network));
}

/** What there is to say of one that others reach, too. */
export function notLoopback(address: Address): string {
  return `${formatAddress(address)} is for others than this machine, and the admin API has no TLS; ` +
    "use a loopback address, 127.0.0.1, and from elsewhere a tunnel or a reverse proxy with TLS";
}

/**
 * Reads a token, or another secret (`what`), out of a file that only its owner can read.
 *
 * @throws {ConfigError} if it is not there, others can read it, or it is no token; its text is never told.
 */
export async function readToken(file: string, what = "token"): Promise<string> {
  const text = await readPrivateFile(file);
  if (text === undefined) {
    throw new ConfigError(`${file} is not there; make a ${what}: (umask 077; openssl rand -hex 32 > ${file})`);
  }
  const token = text.trim();
  if (token.length < MIN_TOKEN || !/^[!-~]+$/.test(token)) {
    throw new ConfigError(
      `${file} has to hold a ${what}: one line of ${MIN_TOKEN} characters at least, without blanks`,
    );
  }
  return token;
}
