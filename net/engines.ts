/**
 * Which engine there is.
 *
 * @module
 */

import type { Logger } from "../base/logger.ts";
import { LONG_TURN_MS } from "./limits.ts";
import { nativeEngine, whyNotNative } from "./native/engine.ts";
import { portableEngine } from "./portable/engine.ts";
import type { Duplex, Engine, TlsEngine } from "./socket.ts";
import { UnprovableError } from "./tls/proof.ts";

/** What a user may ask for: an engine, or the best that there is. */
export type EngineChoice = "auto" | "native" | "portable";

/** All that a user may ask for. */
export const ENGINES = ["auto", "native", "portable"] as const satisfies readonly EngineChoice[];

/** The native engine cannot be had, and was asked for. */
export class EngineError extends Error {
  /** What errors of this kind are called. */
  override readonly name = "EngineError";
}

/** An engine, and why it is not a better one. */
export interface ChosenEngine {
  readonly engine: Engine;
  /** One line, where less than the native engine with its own TLS was had. */
  readonly fallback: string | undefined;
}

/** @throws {EngineError} with why, if `native` cannot be had. */
export function chooseEngine(choice: EngineChoice): ChosenEngine {
  if (choice === "portable") return { engine: portableEngine, fallback: undefined };
  const engine = nativeEngine();
  const fallback = whyNotNative();
  if (choice === "native" && fallback !== undefined) {
    throw new EngineError(`the native engine cannot be had: ${fallback}; leave --engine out, or say --engine portable`);
  }
  return { engine: engine ?? portableEngine, fallback };
}

/**
 * Bytes both ways over a descriptor of the kernel's that does not block, such as a serial line's; it owns it from then on.
 * Whoever has one has the system's calls, and so what it takes, whichever engine has the sockets.
 *
 * @throws If the kernel cannot watch it; it is closed then.
 */
export function descriptorDuplex(fd: number): Duplex {
  const engine = nativeEngine();
  if (!engine) throw new EngineError(`the kernel's descriptors cannot be watched: ${whyNotNative()}`);
  return engine.adopt(fd);
}

/**
 * Chooses an engine for a server or a device, and says in the log which.
 *
 * @param demand What is asked of it; throws if it cannot do that.
 * @throws {EngineError} as {@linkcode chooseEngine}.
 */
export function startEngine(
  choice: EngineChoice,
  log: Logger,
  demand: (chosen: ChosenEngine) => void = () => {},
): Engine {
  const chosen = chooseEngine(choice);
  demand(chosen);
  const engine = describeEngine(chosen);
  const isBest = chosen.engine.name === "native" && chosen.fallback === undefined;
  if (isBest) log.debug("engine {engine}", { engine });
  else log.info("engine {engine}", { engine });
  return chosen.engine;
}

/** Says in the log how long the longest turn of an engine's loop was, where that is known: as an info if it was too long. */
export function tellTurns(engine: Engine, log: Logger): void {
  const report = engine.turns();
  if (!report) return;
  const facts = { longest: Math.round(report.longest), turns: report.counts.join(" ") };
  if (report.longest > LONG_TURN_MS) log.info(LONGEST, facts);
  else log.debug(LONGEST, facts);
}

const LONGEST = "the longest turn of the event loop took {longest} ms";

/**
 * Demands that links can be dialled from an uplink that is chosen; `inTls`: links in TLS.
 *
 * @throws {EngineError} with why not.
 */
export function demandUplinks({ engine, fallback }: ChosenEngine, inTls: boolean): void {
  if ((inTls ? engine.tls.sockets : engine).isTunable) return;
  throw new EngineError(takesNative("--via", "--via", fallback));
}

/**
 * Demands that links can be bound to their TLS connections.
 *
 * @throws {UnprovableError} with why not.
 */
export function demandBinding({ binds }: Pick<TlsEngine, "binds">): void {
  if (!binds) throw new UnprovableError(takesNative("--require-binding", "--require-binding", whyNotNative()));
}

/**
 * One line for something that the engine in use cannot do.
 *
 * @param what What takes the native one. @param out What could be left out.
 * @param fallback Why it cannot be had; without one, another was asked for.
 */
export function takesNative(
  what: string,
  out: string,
  fallback: string | undefined = nativeEngine() ? undefined : whyNotNative(),
): string {
  const [why, mend] = fallback === undefined
    ? ["another one was asked for", "drop --engine portable"]
    : [`it cannot be had: ${fallback}`, "see to that"];
  return `${what} takes the native engine, and ${why}; leave ${out} out, or ${mend}`;
}

/** An engine in a few words, and why `auto` has not come to a better one. */
export function describeEngine({ engine, fallback }: ChosenEngine): string {
  if (fallback === undefined) return engine.name;
  if (engine.name === "native") return `native, with the runtime's TLS: ${fallback}`;
  return `portable, as the native one cannot be had: ${fallback}`;
}
