/**
 * What a server and its devices cost while nothing happens.
 *
 * @module
 */

import { anonymousBytes, cpuSeconds } from "../../tests/rig/processes/proc_stats.ts";
import { pause } from "../../tests/rig/wait.ts";
import type { Fleet } from "./fleet.ts";

/** Looks for some seconds. `percent`: of a core, for the server; `bytes`: of all processes, anonymous. */
export async function costOf({ server, pids: devices }: Fleet, seconds: number) {
  const pids = [server.child.pid, ...devices];
  const cpu = () => pids.map((pid) => cpuSeconds([pid]) ?? 0);
  const before = cpu();
  await pause(seconds * 1_000);
  const used = cpu().map((now, at) => (now - before[at]!) / seconds * 100);
  const bytes = pids.map((pid) => anonymousBytes([pid]) ?? 0);
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const [percent = 0, ...theirs] = used;
  const [own = 0, ...others] = bytes;
  const text = `the server ${percent.toFixed(1)} % of a core, ${(own / 1e6).toFixed(0)} MB anonymous; devices ${
    sum(theirs).toFixed(1)
  } %, ${(sum(others) / 1e6).toFixed(0)} MB`;
  return { percent, bytes: sum(bytes), text };
}
