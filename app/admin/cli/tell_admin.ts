/**
 * Where the admin API of a daemon is, for whoever started it.
 *
 * @module
 */

import type { Logger } from "../../../base/logger.ts";
import { printLine } from "../../command.ts";
import type { AdminServer } from "../serve.ts";

/** Tells it: in the log, and by TCP on stdout too, for scripts. */
export function tellAdmin({ socket, address }: AdminServer, json: boolean, logger: Logger): void {
  if (socket !== undefined) logger.debug("admin API at {socket}", { socket });
  if (address === undefined) return;
  logger.info("admin API at {address}", { address });
  printLine(json ? JSON.stringify({ type: "admin", address }) : `admin ${address}`);
}
