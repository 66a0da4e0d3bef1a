/**
 * The engine that tests run on: `SALLYPORT_ENGINE` names it, as it does for the programs.
 *
 * @module
 */

import { chooseEngine, describeEngine, type EngineChoice } from "../../net/engines.ts";

/** What is asked for. */
export const engineChoice = (Deno.env.get("SALLYPORT_ENGINE") || "auto") as EngineChoice;

const chosen = chooseEngine(engineChoice);

/** What sockets are made with. */
export const { engine } = chosen;

/** How `--check` says which one it is. */
export const engineInWords = describeEngine(chosen);

/** The best engine of this machine, for what tests do to connections whatever engine they run on. */
export const { engine: bestEngine } = chooseEngine("auto");

/** Whether connections can be reset, be asked what their peer has seen, and be cut while their peer is silent. */
export const isNative = engine.name === "native";

/** Whether a TLS peer can be cut while it is silent, and it is known whether a byte came of one that has ended. */
export const isTlsNative = engine.tls.binds;

/** How an end looks that no peer meant, of a connection whose bytes were all read. */
export const unmeantEnd = isNative ? "reset" : "orderly";

/** Gives nothing up. */
export const never = new AbortController().signal;
