/**
 * Host addresses that are Unix sockets: users of this machine reach them, and the network does not.
 *
 * @module
 */

import { DEFAULT_UNIX_MODE } from "../limits.ts";
import { parseUnixPath } from "../../net/unix_path.ts";

/** Where local clients connect. */
export interface UnixHostAddress {
  /** The path of the socket. */
  readonly unix: string;
  /** Who may connect, as bits of its mode; only this process's own user by default. */
  readonly mode?: number | undefined;
  /** The group that owns it, by name or number; this process's own by default. */
  readonly group?: string | undefined;
}

/** Whether an address is that of a Unix socket. */
export function isUnixHost(address: object): address is UnixHostAddress {
  return "unix" in address;
}

/** Whether a text begins as one. */
export function looksLikeUnixHost(text: string): boolean {
  return /^unix:(?!\d*$)/.test(text);
}

/**
 * Parses `unix:PATH[,mode=0660][,group=NAME]`.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function parseUnixHost(text: string): UnixHostAddress {
  const [place = "", ...options] = text.split(",");
  const unix = parseUnixPath(place.replace(/^unix:/, ""));
  if (unix.startsWith("@")) {
    throw new SyntaxError(`"${place}" has no mode, so that everybody here could connect; write a path in place of @`);
  }
  let address: UnixHostAddress = { unix };
  for (const option of options) {
    const [, key, value = ""] = /^(mode|group)=(.*)$/.exec(option) ?? [];
    if (key === undefined) {
      throw new SyntaxError(`"${option}" in "${text}" is nothing here; there are mode=0660 and group=NAME`);
    }
    if (key in address) throw new SyntaxError(`"${text}" says ${key} twice; say it once`);
    address = {
      ...address,
      ...(key === "mode" ? { mode: parseMode(value, text) } : { group: parseGroup(value, text) }),
    };
  }
  return address;
}

/** The inverse of {@linkcode parseUnixHost}. */
export function formatUnixHost({ unix, mode, group }: UnixHostAddress): string {
  const bits = mode === undefined ? "" : `,mode=${mode.toString(8).padStart(4, "0")}`;
  return `unix:${unix}${bits}${group === undefined ? "" : `,group=${group}`}`;
}

/** The mode that a socket is given. */
export function modeOf({ mode = DEFAULT_UNIX_MODE }: UnixHostAddress): number {
  return mode;
}

/** Splits a list at commas, but not between an address and what is said of it. */
export function splitHosts(text: string): string[] {
  const hosts: string[] = [];
  for (const part of text.split(",")) {
    const before = hosts.at(-1) ?? "";
    const belongs = /^ *(?:mode|group)=/.test(part) && before.includes("unix:") ||
      /^ *max-age=/.test(part) && before.includes("udp:") || before !== "" && /^ *each *$/.test(part);
    if (belongs) {
      hosts[hosts.length - 1] += `,${part.trim()}`;
    } else hosts.push(part);
  }
  return hosts;
}

function parseMode(value: string, text: string): number {
  if (/^0?[0-7]{3}$/.test(value)) return parseInt(value, 8);
  throw new SyntaxError(`mode "${value}" in "${text}" is none; write three or four octal digits, as in mode=0660`);
}

function parseGroup(value: string, text: string): string {
  if (/^(?:\d{1,10}|[A-Za-z_][\w.-]{0,31}\$?)$/.test(value)) return value;
  throw new SyntaxError(`group "${value}" in "${text}" is none; write its name or its number`);
}
