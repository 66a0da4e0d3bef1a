/**
 * What a server's clients wait for while a whole fleet returns: how long the turns of its engine's loop are.
 *
 *     deno run -A scripts/fleet/fleet_returns.ts                       # 2,000 devices: after silence, then to a new server
 *     deno run -A scripts/fleet/fleet_returns.ts --devices 500 --times 5
 *
 * Devices and server run on this machine, over loopback, with TLS. The exit code is 1 if a turn took more than 20 ms, 2 with
 * bad options. On a machine that does other things, too, turns are longer by that.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { positive, understood } from "../arguments.ts";
import { TURN_BOUNDS } from "../../net/turn_times.ts";
import { Fleet, FleetKeys } from "./fleet.ts";
import type { ServerProcess } from "../../tests/rig/processes/daemons.ts";
import { pause } from "../../tests/rig/wait.ts";
import { say } from "../../tests/rig/say.ts";

const USAGE = "deno run -A scripts/fleet/fleet_returns.ts [--devices N] [--times N]";

/** The longest turn that there may be, in milliseconds: one of {@linkcode TURN_BOUNDS}. */
const BAR = 20;

/** Milliseconds between two looks at how many are there. */
const LOOK_MS = 200;

/** Milliseconds for all to go, or to be back. */
const LONGEST_MS = 120_000;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const given = understood(options, args, USAGE);
  if (!given) return 2;
  await using fleet = await Fleet.start(await FleetKeys.make(given.devices), "adaptive", {
    server: ["--metrics", "127.0.0.1:0"],
  });
  let isGood = true;
  for (let time = 0; time < given.times; time++) {
    isGood = await afterSilence(fleet, given.devices) && isGood;
    isGood = await afterRestart(fleet, given.devices) && isGood;
  }
  return isGood ? 0 : 1;
}

/** All are silent until the server has given them up, and come back at once. */
async function afterSilence(fleet: Fleet, count: number): Promise<boolean> {
  for (const pid of fleet.pids) Deno.kill(pid, "SIGSTOP");
  await until(fleet.server, 0);
  const before = await turnsOf(fleet.server);
  for (const pid of fleet.pids) Deno.kill(pid, "SIGCONT");
  return await tell("after silence", fleet.server, count, before);
}

/** A new server takes the place of theirs. */
async function afterRestart(fleet: Fleet, count: number): Promise<boolean> {
  await fleet.restartServer();
  return await tell("to a new server", fleet.server, count, []);
}

/** Waits until all are back, and says how long turns were meanwhile. @returns whether all were short enough. */
async function tell(what: string, server: ServerProcess, count: number, before: readonly number[]): Promise<boolean> {
  const since = performance.now();
  await until(server, count);
  const took = ((performance.now() - since) / 1000).toFixed(1);
  const turns = (await turnsOf(server)).map((all, at) => all - (before[at] ?? 0));
  const groups = turns.map((turns, at) => `${at === 0 ? "<" : ">"}${TURN_BOUNDS[Math.max(0, at - 1)]} ms: ${turns}`);
  say(`${count} devices ${what}: all back in ${took} s; turns ${groups.join(", ")}`);
  return turns.every((turns, at) => turns === 0 || at <= TURN_BOUNDS.indexOf(BAR));
}

/** Waits until `count` devices are online. */
async function until(server: ServerProcess, count: number): Promise<void> {
  for (const since = performance.now(); performance.now() - since < LONGEST_MS;) {
    const online = /^sallyport_links\{state="online"\} (\d+)$/m.exec(await metricsOf(server))?.[1];
    if (Number(online ?? 0) === count) return;
    await pause(LOOK_MS);
  }
  throw new Error(`there were not ${count} devices in time`);
}

/** The turns of a server since it runs, in the groups of {@linkcode TURN_BOUNDS}. */
async function turnsOf(server: ServerProcess): Promise<number[]> {
  const upTo = [...(await metricsOf(server)).matchAll(/^sallyport_engine_turn_seconds_bucket\{le="\S+"\} (\d+)$/gm)];
  return upTo.map(([, count], at) => Number(count) - Number(upTo[at - 1]?.[1] ?? 0));
}

async function metricsOf(server: ServerProcess): Promise<string> {
  const [, address] = await server.child.line(/^metrics (\S+:\d+)$/);
  return await (await fetch(`http://${address}/metrics`)).text();
}

function options(args: string[]): { devices: number; times: number } {
  const { values } = parseArgs({ args, options: { devices: { type: "string" }, times: { type: "string" } } });
  return {
    devices: values.devices === undefined ? 2_000 : positive("devices", values.devices),
    times: values.times === undefined ? 1 : positive("times", values.times),
  };
}
