/**
 * The lines of `server devices` as a table: within the columns of a terminal, and whole elsewhere.
 *
 * @module
 */

import { formatPastTime } from "../../../base/format.ts";
import { fitList, formatAge, tableLines } from "../../../base/table.ts";
import { formatTime } from "../../devices/edits.ts";
import { NOT_OFFERED, type Row } from "./device_rows.ts";

/** Columns that are left to services at least. */
const MIN_SERVICES = 20;

/** Services of which it is told why they are not open, at most. */
const REASONS_SHOWN = 5;

/** Services stand last, so that a device with many makes no other line longer. */
const HEAD = ["NAME", "KEY", "STATE", "LINK", "EXPIRES", "COMMENT", "SERVICES"];
const [KEY, LINK, COMMENT, SERVICES] = [1, 3, 5, 6];

/** The table; `width` is that of the terminal, if it is for one, and `now` the wall clock. */
export function tableOf(rows: readonly Row[], width: number | undefined, now: number): string[] {
  const cells = [HEAD, ...rows.map((row) => cellsOf(row, now))];
  if (width === undefined) rows.forEach((row, at) => cells[at + 1]![SERVICES] = servicesOf(row).join(" ") || "-");
  else {
    const others = tableLines(cells.map((row) => row.toSpliced(SERVICES, 1)));
    const room = Math.max(MIN_SERVICES, width - Math.max(...others.map((line) => line.length)) - 2);
    rows.forEach((row, at) => cells[at + 1]![SERVICES] = fitList(servicesOf(row), room) || "-");
  }
  const fit = width === undefined ? undefined : { width, shorten: [COMMENT, KEY, LINK] };
  return tableLines(cells, { optional: [COMMENT], ...fit });
}

/** Why devices have no link, or services of devices that have one are not open, for whoever sees a word of it there. */
export function reasonLines(rows: readonly Row[]): string[] {
  const lines = rows.flatMap(({ name, unbound, incompatible, versions }) => [
    ...(incompatible === null ? [] : [
      `${name}: incompatible: it speaks versions ${versions?.join(" to ")}, at ${
        formatPastTime(Date.parse(incompatible))
      }`,
    ]),
    ...Object.entries(unbound).map(([service, why]) => `${name}/${service}: ${why}`),
  ]);
  if (lines.length <= REASONS_SHOWN) return lines;
  return [...lines.slice(0, REASONS_SHOWN), `… and ${lines.length - REASONS_SHOWN} more; --json has all`];
}

function cellsOf(row: Row, now: number): string[] {
  const until = row.validUntil === null ? [] : [`until ${formatTime(Date.parse(row.validUntil))}`];
  return [
    row.name,
    row.fingerprint ?? "-",
    row.state,
    linkOf(row, now),
    row.expires === null ? "never" : formatTime(Date.parse(row.expires)),
    [...row.tags.map((tag) => `#${tag}`), [...until, row.comment ?? []].flat().join("; ")].filter(Boolean).join(" "),
    "",
  ];
}

/** Whether it has a link, and for how long that is so. */
function linkOf({ key, online, interrupted, since, incompatible, draining }: Row, now: number): string {
  if (key === null) return "-";
  if (online === null) return "unknown";
  if (incompatible !== null) return "incompatible";
  const state = online ? "online" : interrupted ? "interrupted" : "offline";
  const age = since === null ? "" : ` ${formatAge(now - Date.parse(since))}`;
  return `${state}${age}${draining ? ", draining" : ""}`;
}

/** All of a device; first those that somebody may look for, as they are not open. */
function servicesOf(row: Row): string[] {
  const names = Object.keys(row.services);
  const isOpen = (name: string) => row.unbound[name] === undefined;
  return [...names.filter((name) => !isOpen(name)), ...names.filter(isOpen)].map((name) => serviceText(row, name));
}

/** A service with the address that is bound, else the one that was granted; or a word for why it is not open. */
function serviceText({ services, bound, unbound }: Row, name: string): string {
  const why = unbound[name];
  if (why === undefined) return `${name}=${bound[name] ?? services[name]}`;
  return `${name}: ${why === NOT_OFFERED ? "not offered" : why.startsWith("closed: ") ? "closed" : "not open"}`;
}
