/**
 * Dialling several addresses of one server, where the first that answers is taken.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { dialServer, type ServerTarget } from "./server.ts";
import { race } from "./attempts.ts";
import type { Engine } from "../socket.ts";
import type { Transport } from "../transport.ts";

/** Who was first. */
export interface Dialled {
  readonly transport: Transport;
  /** Which of the targets it is to. */
  readonly index: number;
}

/**
 * Dials `targets` in their order, as {@linkcode race} does.
 *
 * @throws What the last one that failed threw; the signal's reason when it aborts. Nothing is left open then.
 */
export async function dialRace(
  targets: readonly ServerTarget[],
  engine: Engine,
  clock: Clock,
  timeout: number,
  signal: AbortSignal,
): Promise<Dialled> {
  const { value: transport, index } = await race(
    targets.map((target) => (signal) => dialServer(target, engine, clock, timeout, signal)),
    { clock, signal, letGo: ({ duplex }) => duplex.close() },
  );
  return { transport, index };
}
