/**
 * What a server tells others while it runs, besides its admin API: metrics at an address of their own.
 *
 * @module
 */

import { READY_LOOK_MS } from "../../app/limits.ts";
import { printLine } from "../../app/command.ts";
import { demandWritable } from "../../app/files/replace_file.ts";
import { type MetricsServer, serveMetrics } from "../../app/metrics/listener.ts";
import { describeError } from "../../base/errors.ts";
import type { Address } from "../../protocol/address.ts";
import type { AdminContext } from "../admin/context.ts";

/**
 * Serves metrics, and says where.
 *
 * @throws {ListenError} if the address cannot be had; {ConfigError} if the state's folder cannot be used.
 */
export async function openMetrics(
  context: AdminContext,
  address: Address,
  folder: string,
  json: boolean,
): Promise<MetricsServer> {
  const { clock, logger } = context.core.settings;
  const { metrics: registry } = context;
  const server = await serveMetrics({ address, folder, registry, clock, logger, whyNotReady: readiness(context) });
  logger.info("metrics at {address}", { address: server.address });
  printLine(json ? JSON.stringify({ type: "metrics", address: server.address }) : `metrics ${server.address}`);
  return server;
}

/** Tells why devices cannot dial in, or enrol, if they cannot. The disk is asked once in a while. */
export function readiness({ core, state, isReady }: AdminContext): () => string | undefined {
  const { clock } = core.settings;
  let lookedAt = -Infinity;
  let trouble: string | undefined;
  return () => {
    if (!isReady()) return "not every listener is bound";
    if (!state || clock.now() - lookedAt < READY_LOOK_MS) return trouble;
    lookedAt = clock.now();
    try {
      demandWritable(`${state.folder}/.ready`);
      trouble = undefined;
    } catch (error) {
      trouble = `the state cannot be written: ${describeError(error)}`;
    }
    return trouble;
  };
}
