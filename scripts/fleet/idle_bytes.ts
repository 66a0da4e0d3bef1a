/**
 * What an idle link costs a day, for each way of keep-alive: whole IP packets both ways, as the router between a device and
 * its server counts them with nftables. As root on Linux; it makes its own network namespaces.
 *
 *     deno run -A scripts/fleet/idle_bytes.ts                    # five minutes of each way, all at once
 *     deno run -A scripts/fleet/idle_bytes.ts --minutes 60       # the long run
 *     deno run -A scripts/fleet/idle_bytes.ts --only metered --plain
 *
 * A window begins right after a probe, and is as long as whole probes take: so few of them are enough. The exit code is 1 if
 * a way costs more than its bar, 2 with bad options, 3 where it cannot be run.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { positive, understood } from "../arguments.ts";
import {
  ADAPTIVE_KEEP_ALIVE,
  KEEP_ALIVE_MODES,
  type KeepAliveMode,
  METERED_KEEP_ALIVE,
} from "../../protocol/keep_alive.ts";
import { find } from "../../tests/rig/processes/programs.ts";
import { missing } from "../../tests/rig/processes/requirements.ts";
import { RESUME_NEEDS } from "../../tests/rig/machines/resume_machines.ts";
import { V2Machines } from "../../tests/rig/machines/v2_machines.ts";
import { pause } from "../../tests/rig/wait.ts";
import { say } from "../../tests/rig/say.ts";

const USAGE = "deno run -A scripts/fleet/idle_bytes.ts [--minutes N] [--only WAY,…] [--plain]";
const DAY_MS = 86_400_000;

/** Milliseconds between two probes, and the most that a day may cost, in bytes. */
const WAYS: Readonly<Record<KeepAliveMode, { readonly gap: number; readonly bar: number }>> = {
  adaptive: { gap: ADAPTIVE_KEEP_ALIVE.idleTimeout, bar: 1_500_000 },
  metered: { gap: METERED_KEEP_ALIVE.idleTimeout, bar: 300_000 },
  fast: { gap: 1_000, bar: 45_000_000 },
};

/** What has passed the router. */
interface Count {
  readonly bytes: number;
  readonly packets: number;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const given = understood(options, args, USAGE);
  if (!given) return 2;
  const lacking = missing("idle_bytes", RESUME_NEEDS);
  if (lacking.length > 0) {
    say(`this machine lacks: ${lacking.join(", ")}`);
    return 3;
  }
  const costs = await Promise.allSettled(given.only.map(async (way) => ({ way, cost: await measure(way, given) })));
  const failure = costs.find((each) => each.status === "rejected");
  if (failure) throw failure.reason; // what the others have made is gone by now
  const over = costs.flatMap((each) =>
    each.status === "fulfilled" && each.value.cost > WAYS[each.value.way].bar ? each.value : []
  );
  for (const { way, cost } of over) {
    say(`FAULT: ${way} costs ${megabytes(cost)} a day; ${megabytes(WAYS[way].bar)} is the bar`);
  }
  return over.length === 0 ? 0 : 1;
}

/** @returns bytes a day. */
async function measure(
  way: KeepAliveMode,
  { minutes, plain }: { readonly minutes: number; readonly plain: boolean },
): Promise<number> {
  const { gap } = WAYS[way];
  const more = plain ? ["--plain"] : [];
  const keepAlive = ["--keep-alive", way];
  await using machines = await V2Machines.start({ server: [...more, ...keepAlive], device: keepAlive });
  const { net } = machines;
  const nft = find("nft")!;
  const rules = "add table ip cost; add counter ip cost passed; " +
    "add chain ip cost through { type filter hook forward priority -10; }; add rule ip cost through counter name passed;";
  await net.run("router", nft, rules);
  const count = async (): Promise<Count> => {
    const text = await net.run("router", nft, "list", "counter", "ip", "cost", "passed");
    const [, packets = "0", bytes = "0"] = /packets (\d+) bytes (\d+)/.exec(text) ?? [];
    return { bytes: Number(bytes), packets: Number(packets) };
  };
  await pause(10_000); // what its start costs is not of an idle link
  const seen = (await count()).packets;
  while ((await count()).packets === seen) await pause(Math.min(gap / 10, 500));
  await pause(Math.min(gap / 2, 2_000)); // until it is answered, and that acknowledged
  const probes = Math.ceil(minutes * 60_000 / gap);
  const [before, since] = [await count(), performance.now()];
  await pause(probes * gap);
  const [after, took] = [await count(), performance.now() - since];
  const bytes = after.bytes - before.bytes;
  const aDay = bytes * DAY_MS / took;
  const each = `${(bytes / probes).toFixed(0)} bytes in ${
    ((after.packets - before.packets) / probes).toFixed(1)
  } packets`;
  say(`${way}: ${megabytes(aDay)} a day (${each} each ${gap / 1_000} s, for ${Math.round(took / 1_000)} s)`);
  return aDay;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function options(args: string[]): { minutes: number; only: KeepAliveMode[]; plain: boolean } {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: "string" }, only: { type: "string" }, plain: { type: "boolean" } },
  });
  const only = (values.only?.split(",") ?? [...KEEP_ALIVE_MODES]).map((name) => {
    const way = KEEP_ALIVE_MODES.find((each) => each === name);
    if (!way) throw new SyntaxError(`--only: there is no ${name}; there are ${KEEP_ALIVE_MODES.join(", ")}`);
    return way;
  });
  return {
    minutes: values.minutes === undefined ? 5 : positive("minutes", values.minutes),
    only,
    plain: values.plain ?? false,
  };
}
