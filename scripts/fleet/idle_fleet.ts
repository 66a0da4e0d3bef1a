/**
 * What idle devices cost their server: the CPU time of its process, with each way of keep-alive.
 *
 *     deno run -A scripts/fleet/idle_fleet.ts                          # 2,000 devices, a minute of each way
 *     deno run -A scripts/fleet/idle_fleet.ts --devices 500 --seconds 30 --only adaptive
 *
 * Devices and server run on this machine, over loopback, with TLS. The exit code is 1 if `adaptive` costs more than 5 % of a
 * core for 2,000 devices, 2 with bad options.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { positive, understood } from "../arguments.ts";
import type { KeepAliveMode } from "../../mod.ts";
import { KEEP_ALIVE_MODES } from "../../protocol/keep_alive.ts";
import { costOf } from "./cost.ts";
import { Fleet, FleetKeys, SETTLE_MS } from "./fleet.ts";
import { pause } from "../../tests/rig/wait.ts";
import { say } from "../../tests/rig/say.ts";

const USAGE = "deno run -A scripts/fleet/idle_fleet.ts [--devices N] [--seconds N] [--only WAY,…]";
const BAR = 5;
const BAR_DEVICES = 2_000;

interface Options {
  readonly devices: number;
  readonly seconds: number;
  readonly only: readonly KeepAliveMode[];
}

if (import.meta.main) Deno.exit(await main(Deno.args));

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const given = understood(options, args, USAGE);
  if (!given) return 2;
  const keys = await FleetKeys.make(given.devices);
  let code = 0;
  for (const way of given.only) {
    const percent = await measure(way, keys, given.seconds);
    if (way === "adaptive" && percent > BAR * given.devices / BAR_DEVICES) code = 1;
  }
  return code;
}

/** @returns per cent of a core. */
async function measure(way: KeepAliveMode, keys: FleetKeys, seconds: number): Promise<number> {
  await using fleet = await Fleet.start(keys, way);
  await pause(SETTLE_MS);
  const { percent, text } = await costOf(fleet, seconds);
  say(`${way}: ${keys.size} idle devices: ${text}`);
  return percent;
}

function options(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: { devices: { type: "string" }, seconds: { type: "string" }, only: { type: "string" } },
  });
  const only = (values.only?.split(",") ?? [...KEEP_ALIVE_MODES]).map((name) => {
    const way = KEEP_ALIVE_MODES.find((each) => each === name);
    if (!way) throw new SyntaxError(`--only: there is no ${name}; there are ${KEEP_ALIVE_MODES.join(", ")}`);
    return way;
  });
  return {
    devices: values.devices === undefined ? BAR_DEVICES : positive("devices", values.devices),
    seconds: values.seconds === undefined ? 60 : positive("seconds", values.seconds),
    only,
  };
}
