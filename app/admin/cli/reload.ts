/**
 * `reload` of either daemon: what it answered.
 *
 * @module
 */

import { printLine } from "../../command.ts";
import type { Reloaded } from "../../reload/report.ts";

/** Prints a line for each. */
export function tellReload({ changed, restart }: Reloaded): void {
  for (const line of changed) printLine(`changed ${line}`);
  for (const line of restart) printLine(`not changed: ${line}`);
  if (changed.length + restart.length === 0) printLine("nothing is different");
}
