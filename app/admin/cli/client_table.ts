/**
 * The table of clients of either daemon.
 *
 * @module
 */

import type { Datagrams } from "../shared.ts";
import { fates } from "./datagrams.ts";
import { formatAge, formatBytes, tableLines } from "../../../base/table.ts";

/** A client, as a line has it. */
export interface ClientLine {
  readonly id: number;
  readonly service: string;
  readonly address: string | null;
  /** What it came to, or what stands behind the service. */
  readonly place: string;
  readonly state: string;
  readonly since: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly datagrams: Datagrams | null;
}

/** Where they stand in a line. */
const [SERVICE, CLIENT, PLACE, STATE, AGE, DATAGRAMS] = [1, 2, 3, 4, 5, 8];

/** The table; `place` is the head of that column, `width` that of the terminal, if there is one. */
export function clientTable(
  place: "HOST" | "LOCAL",
  clients: readonly ClientLine[],
  width: number | undefined,
  now: number,
): string[] {
  const rows = clients.map(({ id, service, address, place, state, since, bytesUp, bytesDown, datagrams }) => [
    ...[String(id), service, address ?? "-", place, state],
    ...[formatAge(now - Date.parse(since)), formatBytes(bytesUp), formatBytes(bytesDown)],
    datagrams ? fates(datagrams) : "",
  ]);
  // What a service stands for is in its name, and how a client is doing in its bytes; its number is what acts take.
  const fit = { width, optional: [DATAGRAMS], drop: [PLACE, STATE, DATAGRAMS, AGE], shorten: [SERVICE, CLIENT] };
  return tableLines([["ID", "SERVICE", "CLIENT", place, "STATE", "AGE", "UP", "DOWN", "DATAGRAMS"], ...rows], fit);
}
