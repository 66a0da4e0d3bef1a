/**
 * Which engine there is.
 *
 * @module
 */

import { nativeEngine, whyNotNative } from "./native/engine.ts";
import { portableEngine } from "./portable/engine.ts";
import type { Engine } from "./socket.ts";

/** What a user may ask for. */
export type EngineChoice = "auto" | "native" | "portable";

/** The native engine cannot be had, and was asked for. */
export class EngineError extends Error {
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
