/**
 * Commands in network namespaces, and the peers that run there.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Child } from "../processes/child.ts";
import { find } from "../processes/programs.ts";

const PEER = fileURLToPath(new URL("../mains/remote_peer.ts", import.meta.url));

/** Runs `ip` with these arguments. */
export async function ip(...args: string[]): Promise<void> {
  await run([find("ip")!, ...args]);
}

/** What to put before a command to run it in a namespace. */
export function inside(namespace: string): string[] {
  return [find("ip")!, "netns", "exec", namespace];
}

/** Removes a namespace, whether it is there or not. */
export async function remove(namespace: string): Promise<void> {
  await Child.run("ip", [find("ip")!, "netns", "del", namespace]);
}

/** Runs a command to its end, which has to be a good one. @returns its stdout. */
export async function run(command: readonly string[]): Promise<string> {
  await using child = await Child.run(command[0]!, command);
  if (await child.exited !== 0) throw new Error(`${command.join(" ")} failed: ${child.stderr.join("; ")}`);
  return child.stdout.join("\n");
}

/** The command of a client or service of `remote_peer.ts` behind `prefix`. */
export function peer(prefix: readonly string[], ...args: string[]): string[] {
  return [...prefix, Deno.execPath(), "run", "--quiet", "-A", PEER, ...args];
}

/** A client that asks an echo service has to get its question back. */
export async function answered(client: Child): Promise<void> {
  await using asking = client;
  await asking.line(/^question$/);
  assert.equal(await asking.end(), 0);
}
