/**
 * The options of a daemon's admin API, and of the commands that ask it.
 *
 * @module
 */

import { type Address, parseAddress } from "../../protocol/address.ts";
import { optionMistake, type OptionSpec } from "../options.ts";
import { parsePath } from "../values.ts";
import { isLoopback, notLoopback, readToken } from "./address.ts";

/** The option `--admin-token-file`. */
export const TOKEN_OPTION = {
  value: "FILE",
  help: "file with the token of the admin API by TCP, which nobody else may read",
  parse: parsePath,
} as const satisfies OptionSpec<string>;

/** The option `--admin` of a daemon. */
export const ADMIN_OPTION = {
  value: "WHERE",
  help:
    "the admin API: unix (a socket in the state's folder), HOST:PORT of loopback besides, or off, as by default for v1",
  parse(text: string): string {
    if (text !== "unix" && text !== "off") readAddress(text);
    return text;
  },
  preset: "unix",
} as const satisfies OptionSpec<string>;

function readAddress(text: string): Address {
  if (/^[a-z]+$/.test(text)) throw new SyntaxError(`"${text}" is neither unix, nor off, nor HOST:PORT`);
  return parseAddress(text);
}

/** Where an API is to be served. */
export interface AdminWish {
  readonly unix: boolean;
  readonly tcp: { readonly address: Address; readonly token: string } | undefined;
  /** Whether somebody asked for it: then it is a mistake if it cannot be had. */
  readonly isExplicit: boolean;
}

/**
 * What `--admin` and `--admin-token-file` come to; `otherwise` is in force if nobody said.
 *
 * @throws {ConfigError} for an address of others than this machine, or without a token.
 */
export async function adminWish(
  values: { readonly admin?: string; readonly "admin-token-file"?: string },
  otherwise: "unix" | "off",
): Promise<AdminWish> {
  const { admin: given, "admin-token-file": tokenFile } = values;
  const text = given ?? otherwise;
  const isExplicit = given !== undefined;
  if (text === "unix" || text === "off") {
    if (tokenFile !== undefined) {
      throw optionMistake(
        values,
        "admin-token-file",
        (it, other) => `${it} is of use with ${other("admin")} HOST:PORT alone`,
      );
    }
    return { unix: text === "unix", tcp: undefined, isExplicit };
  }
  const address = parseAddress(text);
  if (!isLoopback(address)) throw optionMistake(values, "admin", (it) => `${it}: ${notLoopback(address)}`);
  if (tokenFile === undefined) {
    throw optionMistake(
      values,
      "admin",
      (it, other) =>
        `${it}: ${text} needs a token, as every user of this machine can connect there: ` +
        `(umask 077; openssl rand -hex 32 > FILE), and ${other("admin-token-file")} FILE`,
    );
  }
  return { unix: true, tcp: { address, token: await readToken(tokenFile) }, isExplicit };
}
