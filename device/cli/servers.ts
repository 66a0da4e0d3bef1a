/**
 * The servers of a device, as they were given, and what to say where they are missing.
 *
 * @module
 */

import { type Address, DEFAULT_PORTS, parseAddress } from "../../protocol/address.ts";
import { optionMistake } from "../../app/options.ts";
import { tomlString } from "../../app/toml/scan.ts";
import type { ConfigError } from "../../app/toml/config_error.ts";

/** What was given of these. */
interface Given {
  readonly server?: readonly string[];
  readonly service?: readonly unknown[];
  readonly profile?: string;
}

/** Parses `HOST:PORT`, or `HOST` with the usual port. @throws {SyntaxError} with what would do. */
function parseServer(text: string, profile: "v1" | "v2"): Address {
  const hasPort = /[^:]:[^:]*$|\]:|\/\//.test(text);
  const address = parseAddress(hasPort ? text : `${text}:${DEFAULT_PORTS[profile]}`);
  if (address.port === 0) throw new SyntaxError(`the port in "${text}" is 0; write one from 1 to 65535`);
  return address;
}

/** A server that was given, for a profile, on which its port depends. */
export function serverOf(values: Given, text: string, profile: "v1" | "v2"): Address {
  try {
    return parseServer(text, profile);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw optionMistake(values, "server", (it) => `${it}: ${error.message}`);
  }
}

/** No server, or no service, was given. */
export function lacking(values: Given, name: "server" | "service", example: string): ConfigError {
  const place = values[name] === undefined && values.profile !== undefined ? "profile" : name;
  return optionMistake(
    values,
    place,
    (it) =>
      it.startsWith("--")
        ? `--${name} is missing; for example: --${name} ${example}`
        : `"${name}" is missing; for example: ${name} = [${tomlString(example)}]`,
  );
}
