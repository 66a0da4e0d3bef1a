/**
 * How long a session stands still when its link is cut.
 *
 * @module
 */

import { cableLacks } from "../cable.ts";
import { find } from "../../tests/rig/processes/programs.ts";
import { pause } from "../../tests/rig/wait.ts";
import type { Bench, Sample } from "./measure.ts";
import { startLoad, startService } from "../processes.ts";
import type { RunningTarget, Target } from "../targets/target.ts";

/** Links that are cut, one after the other. */
const CUTS = 10;

/** Milliseconds between two cuts, at least. */
const BETWEEN = 300;

/** Milliseconds that a session may stand still before it counts as lost. */
const PATIENCE = 10_000;

/** What this machine lacks for it. */
export function resumeLacks(): string | undefined {
  return cableLacks() ??
    (find("ss") === undefined ? "ss; install it with: apt-get install iproute2" : undefined);
}

/** Cuts the link of a target again and again under an upload over the slow link; nothing for targets that cannot resume. */
export async function resume(target: Target, bench: Bench): Promise<Sample> {
  if (!target.name.startsWith("sallyport v2")) return {};
  const { server, device } = await bench.cable();
  const service = await startService("bulk", device);
  try {
    const instance = await target.start(service.port, { ...bench.context, server, device });
    try {
      const route = { port: instance.hostPort, host: instance.host, from: server };
      const load = startLoad("up", route, 2 * CUTS, 1);
      const pauses: number[] = [];
      for (let cut = 1; cut <= CUTS; cut++) {
        await pause(BETWEEN);
        const kill = [...device.prefix.slice(1), "ss", "-K", "-tnH", "dst", server.address];
        await new Deno.Command(device.prefix[0]!, { args: kill, stdout: "null", stderr: "null" }).output();
        pauses.push(await resumed(instance, cut));
      }
      await load.stop();
      pauses.sort((a, b) => a - b);
      return { resume50: pauses[CUTS >> 1]!, resumeMost: pauses.at(-1)! };
    } finally {
      await instance.stop();
    }
  } finally {
    await service.child.stop();
  }
}

/** Waits until the session goes on for the `count`th time. @returns how long it stood still, as the device has it. */
async function resumed(instance: RunningTarget, count: number): Promise<number> {
  for (let waited = 0; waited < PATIENCE; waited += 10) {
    const lines = instance.deviceLog!().filter((line) => line.includes('"link resumed'));
    if (lines.length >= count) return (JSON.parse(lines[count - 1]!) as { interrupted: number }).interrupted;
    await pause(10);
  }
  throw new Error(`the session did not go on after cut ${count}: ${instance.deviceLog!().at(-1)}`);
}
