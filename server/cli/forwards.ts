/**
 * Forwards of a v1 listener, as users write them: one, or a range in one line; and the rules of who may come there.
 *
 * @module
 */

import { MAX_FORWARD_RANGE } from "../limits.ts";
import { type Address, formatAddress, parseAddress, parsePort, splitHostPort } from "../../protocol/address.ts";
import type { TomlTable } from "../../app/toml/table.ts";
import { type AccessRules, mergeRules, RULE_NAMES } from "../access/rules.ts";
import { readRules } from "../access/rules_table.ts";
import { isUnixHost, looksLikeUnixHost, parseUnixHost } from "../ports/unix_host.ts";
import type { Forward } from "../options.ts";

/** The section of the options file. */
export const FORWARD_RULES = "forward-rules";

/**
 * Parses `HOST_ADDRESS:HOST_PORT=LOCAL_ADDRESS:LOCAL_PORT`; both ports may be a range, as long as each other: each port of
 * the first is then that of the other which stands at the same place.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function parseForwards(text: string): Forward[] {
  const isUnix = looksLikeUnixHost(text); // whose options have a "=", too
  const at = isUnix ? text.lastIndexOf("=") : text.indexOf("=");
  const [host, local] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
  if (!host || !local || local.includes("=") || isUnix && !local.includes(":")) {
    throw new SyntaxError(`"${text}" is not a forward; write HOST_ADDRESS:HOST_PORT=LOCAL_ADDRESS:LOCAL_PORT`);
  }
  if (isUnix) {
    const localAddress = parseAddress(local);
    if (localAddress.port === 0) throw new SyntaxError(`the local port in "${text}" is 0; write one from 1 to 65535`);
    return [{ hostAddress: parseUnixHost(host), localAddress }];
  }
  const [hosts, locals] = [parsePorts(host), parsePorts(local)];
  if (locals[0]!.port === 0) throw new SyntaxError(`the local port in "${text}" is 0; write one from 1 to 65535`);
  if (hosts.length !== locals.length) {
    throw new SyntaxError(
      `"${text}" has ${hosts.length} host ports and ${locals.length} local ones; write as many of each`,
    );
  }
  return hosts.map((hostAddress, at) => ({ hostAddress, localAddress: locals[at]! }));
}

function parsePorts(text: string): Address[] {
  const [host, ports] = splitHostPort(text);
  const [from, to, ...rest] = ports.split("-");
  if (to === undefined) return [parseAddress(text)];
  const [first, last] = [parsePort(from!, text), parsePort(to, text)];
  if (rest.length > 0 || first === 0 || first > last) {
    throw new SyntaxError(`"${ports}" in "${text}" is not a range; write one as in 8000-8010`);
  }
  if (last - first >= MAX_FORWARD_RANGE) {
    throw new SyntaxError(`"${ports}" in "${text}" is too long; ${MAX_FORWARD_RANGE} ports can be`);
  }
  return Array.from(
    { length: last - first + 1 },
    (_, n) => ({ ...parseAddress(`${text.slice(0, -ports.length)}${first}`), host, port: first + n }),
  );
}

/** Rules for all forwards, and those of each by its host address. */
export interface ForwardRules {
  /** For all. */
  readonly all: AccessRules;
  /** Where they stand. */
  readonly table: TomlTable;
  /** By host address, as text; those of a forward of the list are taken out by {@linkcode withRules}. */
  readonly each: Map<string, { readonly rules: AccessRules; readonly table: TomlTable }>;
}

/** Reads the section `[forward-rules]`, if there is one. @throws {ConfigError} with the place of the mistake. */
export function readForwardRules(file: TomlTable | undefined): ForwardRules | undefined {
  const table = file?.table(FORWARD_RULES);
  if (!table) return undefined;
  const each = new Map<string, { readonly rules: AccessRules; readonly table: TomlTable }>();
  for (const name of table.names.filter((name) => table.isTable(name))) {
    let address: string;
    try {
      address = keyOf(looksLikeUnixHost(name) ? parseUnixHost(name) : parseAddress(name));
    } catch (error) {
      throw error instanceof SyntaxError ? table.error(name, error.message) : error;
    }
    const own = table.table(name)!;
    each.set(address, { rules: readV1Rules(own), table: own });
  }
  return { all: readV1Rules(table), each, table };
}

/** There is no credit on v1: to slow one client down would slow down all others of its link. */
function readV1Rules(table: TomlTable): AccessRules {
  const rules = readRules(table);
  if (rules.bandwidthDown !== undefined) {
    throw table.error("bandwidth-down", `"bandwidth-down" cannot be had on v1; it would hold up the whole link`);
  }
  if (rules.closed !== undefined) throw table.error("closed", `"closed" cannot be had on v1; leave the forward out`);
  return rules;
}

/** Gives forwards their rules. */
export function withRules(forwards: readonly Forward[], rules: ForwardRules | undefined): readonly Forward[] {
  if (!rules) return forwards;
  return forwards.map((forward) => {
    const address = keyOf(forward.hostAddress);
    const own = rules.each.get(address);
    rules.each.delete(address);
    const access = mergeRules(rules.all, own?.rules);
    return RULE_NAMES.some((name) => access[name] !== undefined) ? { ...forward, access } : forward;
  });
}

/** To be called when all forwards have theirs. @throws {ConfigError} for rules of a forward that is not there. */
export function rejectStrays(rules: ForwardRules | undefined, forwards: readonly Forward[]): void {
  if (rules && forwards.length === 0) {
    throw rules.table.error(
      undefined,
      `[${FORWARD_RULES}] is for v1, and no listener is; on v2 rules are in devices.toml`,
    );
  }
  const [stray] = rules?.each ?? [];
  if (!stray) return;
  const known = forwards.map(({ hostAddress }) => keyOf(hostAddress)).join(", ") || "none";
  throw stray[1].table.error(undefined, `no v1 listener has a forward at ${stray[0]}; there are: ${known}`);
}

/** What stands for a host address among the rules; a socket's mode and group say nothing of who it is. */
function keyOf(host: Forward["hostAddress"]): string {
  return isUnixHost(host) ? `unix:${host.unix}` : formatAddress(host);
}
