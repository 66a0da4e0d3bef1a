/**
 * Dialling by one of several uplinks: in their order, each time anew, so that the first one is used again once it works.
 *
 * @module
 */

import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";

/**
 * Dials by the first of `uplinks` that works, each for as long as `dial` takes; without any, as the system likes.
 *
 * @throws One line about each of them, when all have failed; the signal's reason when it aborts.
 */
export async function dialUplinks<T>(
  uplinks: readonly string[],
  logger: Logger,
  signal: AbortSignal,
  dial: (uplink: string | undefined) => Promise<T>,
): Promise<T> {
  if (uplinks.length === 0) return await dial(undefined);
  const failures: unknown[] = [];
  for (const [at, uplink] of uplinks.entries()) {
    try {
      return await dial(uplink);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
      const next = uplinks[at + 1];
      if (next === undefined) continue;
      logger.info("cannot dial via {uplink}: {error}; via {next} now", { uplink, error: describeError(error), next });
    }
  }
  const lines = failures.map((error, at) => `via ${uplinks[at]}: ${describeError(error)}`);
  throw new Error(lines.join("; "), { cause: failures.at(-1) });
}
