/**
 * Rules as TOML files have them, read and written.
 *
 * @module
 */

import { MAX_CLIENT_RATE, MAX_HOURS, MAX_RULE_NETWORKS, MIN_BANDWIDTH } from "../limits.ts";
import { V2_MAX_CHANNELS } from "../../protocol/v2/limits.ts";
import { parseNetwork } from "../../protocol/ip.ts";
import { tomlString } from "../../app/toml/scan.ts";
import type { TomlTable } from "../../app/toml/table.ts";
import { parsePositiveDuration, wholeNumber } from "../../app/values.ts";
import type { ClientRate } from "./client_rates.ts";
import { parseHours } from "./hours.ts";
import type { AccessRules } from "./rules.ts";

const PERIODS = { s: 1_000, min: 60_000, h: 3_600_000 } as const;
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  kbit: 125,
  Mbit: 125e3,
  Gbit: 125e6,
};

/** Parses new clients in a time, `10/s`, `30/min` or `100/h`. @throws {SyntaxError} with what would do. */
export function parseRate(text: string): ClientRate {
  const [, count, period] = /^(\d{1,6})\/(s|min|h)$/.exec(text.trim()) ?? [];
  if (period === undefined || Number(count) === 0 || Number(count) > MAX_CLIENT_RATE) {
    throw new SyntaxError(`"${text}" is not a rate; write one as in 10/s, 30/min or 100/h, up to ${MAX_CLIENT_RATE}`);
  }
  return { count: Number(count), per: PERIODS[period as keyof typeof PERIODS] };
}

/** The inverse of {@linkcode parseRate}. */
export function writeRate({ count, per }: ClientRate): string {
  const [period] = Object.entries(PERIODS).find(([, ms]) => ms === per) ?? [`${per}ms`];
  return `${count}/${period}`;
}

/** Parses `500kB/s`, `2MB/s` or `10Mbit/s`. @returns bytes a second. @throws {SyntaxError} with what would do. */
export function parseBandwidth(text: string): number {
  const [, count, unit] = /^(\d{1,9}(?:\.\d+)?) ?([kMG]?(?:B|bit))\/s$/.exec(text.trim()) ?? [];
  const size = unit === undefined ? undefined : UNITS[unit];
  if (size === undefined) {
    throw new SyntaxError(`"${text}" is not a bandwidth; write one as in 500kB/s, 2MB/s or 10Mbit/s`);
  }
  const rate = Math.floor(Number(count) * size);
  if (rate >= MIN_BANDWIDTH) return rate;
  throw new SyntaxError(`"${text}" is too little; ${MIN_BANDWIDTH / 1000}kB/s is the least`);
}

/** Reads the rules that stand in a table, beside what else does. */
export function readRules(table: TomlTable): AccessRules {
  const allowFrom = networks(table, "allow-from");
  if (allowFrom?.length === 0) {
    throw table.error(
      "allow-from",
      `"allow-from" is empty, so nobody could come; name networks, or write closed = true`,
    );
  }
  const hours = table.list("hours", (text) => (parseHours(text), text.trim()));
  if (hours && hours.length > MAX_HOURS) {
    throw table.error("hours", `${hours.length} windows are too many; ${MAX_HOURS} are the most`);
  }
  const clients = wholeNumber(1, V2_MAX_CHANNELS);
  const rules = {
    allowFrom,
    denyFrom: networks(table, "deny-from"),
    maxClients: table.one("max-clients", clients),
    maxClientsPerAddress: table.one("max-clients-per-address", clients),
    clientRate: table.one("client-rate", parseRate),
    clientRatePerAddress: table.one("client-rate-per-address", parseRate),
    bandwidthUp: table.one("bandwidth-up", parseBandwidth),
    bandwidthDown: table.one("bandwidth-down", parseBandwidth),
    idleTimeout: table.one("idle-timeout", parsePositiveDuration),
    timeLimit: table.one("time-limit", parsePositiveDuration),
    hours,
    closed: table.flag("closed"),
  } satisfies Record<keyof AccessRules, unknown>;
  return Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
}

/** Writes rules as lines of a table, `max-clients = 5`. */
export function formatRules(rules: AccessRules): string[] {
  return [
    ...line("max-clients", rules.maxClients, String),
    ...line("idle-timeout", rules.idleTimeout, milliseconds),
    ...line("allow-from", rules.allowFrom, texts),
    ...line("deny-from", rules.denyFrom, texts),
    ...line("max-clients-per-address", rules.maxClientsPerAddress, String),
    ...line("client-rate", rules.clientRate, formatRate),
    ...line("client-rate-per-address", rules.clientRatePerAddress, formatRate),
    ...line("bandwidth-up", rules.bandwidthUp, formatBandwidth),
    ...line("bandwidth-down", rules.bandwidthDown, formatBandwidth),
    ...line("time-limit", rules.timeLimit, milliseconds),
    ...line("hours", rules.hours, texts),
    ...line("closed", rules.closed, String),
  ];
}

function line<T>(key: string, value: T | undefined, format: (value: T) => string): string[] {
  return value === undefined ? [] : [`${key} = ${format(value)}`];
}

function texts(all: readonly string[]): string {
  return `[${all.map(tomlString).join(", ")}]`;
}

function milliseconds(value: number): string {
  return tomlString(`${value}ms`);
}

function formatBandwidth(rate: number): string {
  return tomlString(`${rate}B/s`);
}

function formatRate(rate: ClientRate): string {
  return tomlString(writeRate(rate));
}

function networks(table: TomlTable, name: string): string[] | undefined {
  const all = table.list(name, (text) => (parseNetwork(text), text));
  if (all && all.length > MAX_RULE_NETWORKS) {
    throw table.error(name, `${all.length} networks are too many; ${MAX_RULE_NETWORKS} are the most`);
  }
  return all;
}
