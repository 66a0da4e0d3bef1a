/**
 * The options that limit a whole server.
 *
 * @module
 */

import { type OptionTable, optionText, type OptionValues } from "../../app/options.ts";
import { parseBytes, wholeNumber, writeBytes } from "../../app/values.ts";
import { MAX_SERVER_LIMIT } from "./limits.ts";
import { parseRate, writeRate } from "../access/rules_table.ts";
import { LIMIT_OPTIONS, type ServerLimits } from "./server_limits.ts";

const number = wholeNumber(1, MAX_SERVER_LIMIT);

/** Limits of the whole server; whoever is in stays, and newcomers are refused with `server-limit`. */
export const CAPACITY_OPTIONS = {
  "max-devices": { value: "N", help: "devices that are registered at most: beyond, none enrols", parse: number },
  "max-links": { value: "N", help: "devices that are linked, or waited for, at once", parse: number },
  "max-sockets": {
    value: "N",
    help: "connections of clients and links of devices at once; in any case what ulimit -n leaves for them",
    parse: number,
  },
  "max-memory": {
    value: "SIZE",
    help: "memory of this process from which on newcomers are refused, as in 800MB",
    parse: parseBytes,
    write: writeBytes,
  },
  "handshake-rate": {
    value: "RATE",
    help: "connections of devices that may begin a handshake, as in 100/s, and as many at once",
    parse: parseRate,
    write: writeRate,
  },
} as const satisfies OptionTable;

/** What is set, a line each, for `--check`. */
export function describeLimits(limits: ServerLimits): string[] {
  return (Object.keys(LIMIT_OPTIONS) as (keyof ServerLimits)[]).flatMap((name) => {
    const [option, value] = [LIMIT_OPTIONS[name], limits[name]];
    return value === undefined ? [] : [`${option} ${optionText(CAPACITY_OPTIONS[option], value)}`];
  });
}

/** What was given. */
export function limitsOfOptions(values: OptionValues<typeof CAPACITY_OPTIONS>): ServerLimits {
  const given = (Object.keys(LIMIT_OPTIONS) as (keyof ServerLimits)[]).flatMap((name) => {
    const value = values[LIMIT_OPTIONS[name]];
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(given);
}
