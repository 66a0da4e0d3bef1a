/**
 * The lines of `server devices` as a table: whole for scripts, and within the columns of a terminal for people.
 *
 * @module
 */

import { fitList, formatAge, tableLines } from "../../../base/table.ts";
import { NOT_OFFERED, type Row } from "./device_rows.ts";

/** Columns that are left to services at least. */
const MIN_SERVICES = 20;

/** Services of which a terminal is told why they are not open, at most. */
const REASONS_SHOWN = 5;

const HEAD = ["NAME", "KEY", "STATE", "LINK", "EXPIRES", "SERVICES", "COMMENT"];
const [KEY, LINK, SERVICES, COMMENT] = [1, 3, 5, 6];

/** The table; `width` is that of the terminal, if it is for one, and `now` the wall clock. */
export function tableOf(rows: readonly Row[], width: number | undefined, now: number): string[] {
  if (width === undefined) {
    return tableLines([
      HEAD,
      ...rows.map((row) =>
        cellsOf(row, linkOf(row), Object.keys(row.services).map((name) => serviceText(row, name)).join(" ") || "-")
      ),
    ]);
  }
  const cells = [HEAD, ...rows.map((row) => cellsOf(row, shortLinkOf(row, now), ""))];
  const others = tableLines(cells.map((row) => row.toSpliced(SERVICES, 1)));
  const room = Math.max(MIN_SERVICES, width - Math.max(...others.map((line) => line.length)) - 2);
  rows.forEach((row, at) => {
    cells[at + 1]![SERVICES] = fitList(shortServicesOf(row), room) || "-";
  });
  return tableLines(cells, { width, shorten: [COMMENT, LINK, KEY] });
}

/** Why services of devices that are online are not open, for whoever sees a word of it in the table. */
export function unboundLines(rows: readonly Row[]): string[] {
  const lines = rows.flatMap(({ name, unbound }) =>
    Object.entries(unbound).map(([service, why]) => `${name}/${service}: ${why}`)
  );
  if (lines.length <= REASONS_SHOWN) return lines;
  return [...lines.slice(0, REASONS_SHOWN), `… and ${lines.length - REASONS_SHOWN} more; --json has all`];
}

function cellsOf(row: Row, link: string, services: string): string[] {
  return [
    row.name,
    row.fingerprint ?? "-",
    row.state,
    link,
    row.expires ?? "never",
    services,
    [...row.tags.map((tag) => `#${tag}`), row.comment ?? ""].join(" ").trim(),
  ];
}

function linkOf({ key, online, interrupted, since, remote, versions, incompatible, draining }: Row): string {
  if (key === null) return "-";
  if (online === null) return "unknown";
  if (incompatible !== null) return `incompatible: it speaks versions ${versions?.join(" to ")}, at ${incompatible}`;
  const state = online ? "online" : interrupted ? "interrupted" : "offline";
  const words = [state, since && `since ${since}`, remote && `from ${remote}`].filter(Boolean).join(" ");
  return words + (draining ? `, draining${draining.until === null ? "" : ` until ${draining.until}`}` : "");
}

/** How long in place of since when, and not from where. */
function shortLinkOf({ key, online, interrupted, since, incompatible, draining }: Row, now: number): string {
  if (key === null) return "-";
  if (online === null) return "unknown";
  if (incompatible !== null) return "incompatible";
  const state = online ? "online" : interrupted ? "interrupted" : "offline";
  const age = since === null ? "" : ` ${formatAge(now - Date.parse(since))}`;
  return `${state}${age}${draining ? ", draining" : ""}`;
}

/** All of a device; first those that somebody may look for, as they are not open. */
function shortServicesOf(row: Row): string[] {
  const names = Object.keys(row.services);
  const isOpen = (name: string) => row.unbound[name] === undefined;
  return [...names.filter((name) => !isOpen(name)), ...names.filter(isOpen)].map((name) => shortServiceText(row, name));
}

/** A service with the address that is bound, else the one that was granted. */
function serviceText({ services, bound, unbound }: Row, name: string): string {
  const why = unbound[name];
  return `${name}=${bound[name] ?? services[name]}${why === undefined ? "" : ` (${why})`}`;
}

function shortServiceText(row: Row, name: string): string {
  const why = row.unbound[name];
  if (why === undefined) return serviceText(row, name);
  return `${name}: ${why === NOT_OFFERED ? "not offered" : why.startsWith("closed: ") ? "closed" : "not open"}`;
}
