/**
 * How the commands ask the server that runs.
 *
 * @module
 */

import type { Command } from "commander";
import { askDaemon } from "../../../app/admin/cli/ask.ts";
import type { AdminClient } from "../../../app/admin/client.ts";

export { ASK_OPTIONS, listed } from "../../../app/admin/cli/ask.ts";

/** Asks the server; see {@linkcode askDaemon}. */
export function ask<T>(command: Command, work: (client: AdminClient) => Promise<T>): Promise<T> {
  return askDaemon("server", command, work);
}
