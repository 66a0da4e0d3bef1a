/**
 * How the runtime is told to run the binaries, and the bench what it measures.
 *
 * @module
 */

/**
 * Young objects live in 2 MiB instead of up to 16 MiB. What a new client leaves behind is collected before it counts as
 * old, where it would stay for as long as nothing else happens: an idle client takes half the memory, and neither the
 * rate of new clients nor the throughput changes.
 */
export const RUNTIME_FLAGS: readonly string[] = ["--v8-flags=--max-semi-space-size=2"];
