/**
 * Dialling several addresses of one server, where the first that answers is taken.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { dialServer, type ServerTarget } from "./server.ts";
import { DIAL_STAGGER_MS } from "../limits.ts";
import { closeQuietly, type Transport } from "../transport.ts";

/** Who was first. */
export interface Dialled {
  /** The connection. */
  readonly transport: Transport;
  /** Which of the targets it is to. */
  readonly index: number;
}

/**
 * Dials `targets` in their order, each a moment after the one before if that has not answered by then (as RFC 8305,
 * "Happy Eyeballs", does with the addresses of a name).
 *
 * @throws What the last one that failed threw; the signal's reason when it aborts. Nothing is left open then.
 */
export async function dialRace(
  targets: readonly ServerTarget[],
  clock: Clock,
  timeout: number,
  signal: AbortSignal,
): Promise<Dialled> {
  const won = Promise.withResolvers<Dialled>();
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  let failed = 0;
  let started = 0;
  let winner: number | undefined;
  let cancel = () => {};
  const next = () => {
    cancel();
    if (started === targets.length || winner !== undefined || stop.signal.aborted) return;
    const index = started++;
    dialServer(targets[index]!, clock, timeout, stop.signal).then((transport) => {
      if (winner !== undefined) return closeQuietly(transport.duplex);
      winner = index;
      won.resolve({ transport, index });
    }, (error: unknown) => {
      if (++failed === targets.length || signal.aborted) won.reject(error);
      else next(); // no need to wait for its time
    });
    cancel = clock.after(DIAL_STAGGER_MS, next);
  };
  next();
  try {
    return await won.promise;
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
    stop.abort(new Error("another address was quicker"));
  }
}
