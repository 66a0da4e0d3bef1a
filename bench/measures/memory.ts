/**
 * Memory of a target, at rest and with idle clients.
 *
 * @module
 */

import { openFilesLimit } from "../../tests/rig/processes/child.ts";
import { pause } from "../../tests/rig/wait.ts";
import { OPEN_FILES } from "../child.ts";
import { type Bench, noteFailures, type Sample } from "./measure.ts";
import { anonymousBytes, residentBytes } from "../../tests/rig/processes/proc_stats.ts";
import { reportOf, startLoad } from "../processes.ts";
import type { Target } from "../targets/target.ts";

const IDLE_CLIENTS = 200;

/** Milliseconds for memory to come to rest. */
const REST = 1000;

/** Milliseconds for all clients to be there. */
const ARRIVAL = 90_000;

/** At rest, and with some idle clients. */
export async function memory(target: Target, bench: Bench): Promise<Sample> {
  const found = await idleClients(target, bench, IDLE_CLIENTS);
  if (!found) return {};
  const { atRest, anonymous, perClient } = found;
  return { memory: atRest / 1e6, anonymous: anonymous / 1e6, memoryPerClient: perClient / 1e3 };
}

/** With as many idle clients as it is expected to take. */
export async function crowd(target: Target, bench: Bench): Promise<Sample> {
  if (!target.crowd) return {};
  const found = await idleClients(target, bench, target.crowd);
  return found ? { crowdPerClient: found.perClient / 1e3 } : {};
}

/** What the machine lacks for {@linkcode crowd}. */
export function crowdLacks(): string | undefined {
  const files = openFilesLimit(OPEN_FILES);
  return files >= OPEN_FILES
    ? undefined
    : `${OPEN_FILES} open files a process; the limit here is ${files} (ulimit -Hn)`;
}

/** Bytes of an instance that has not been used before; unknown where there is no /proc, or no process. */
async function idleClients(
  target: Target,
  { echoPort, context }: Bench,
  count: number,
): Promise<{ atRest: number; anonymous: number; perClient: number } | undefined> {
  const instance = await target.start(echoPort, context);
  try {
    await pause(instance.pids.length > 0 ? REST : 0);
    const atRest = residentBytes(instance.pids);
    const anonymous = anonymousBytes(instance.pids) ?? 0;
    if (atRest === undefined) return undefined;
    const clients = startLoad("idle", { port: instance.hostPort, host: instance.host }, 0, count);
    try {
      const [, ready] = await clients.line(/^ready (\d+)$/, 0, ARRIVAL);
      await pause(REST);
      const failure = instance.failure?.();
      if (failure !== undefined) throw new Error(failure);
      return { atRest, anonymous, perClient: (residentBytes(instance.pids)! - atRest) / Number(ready) };
    } finally {
      await clients.closeInput();
      await clients.exited;
      noteFailures(`${target.name}, ${count} idle clients`, reportOf(clients), context);
    }
  } finally {
    await instance.stop();
  }
}
