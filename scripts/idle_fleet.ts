/**
 * What idle devices cost their server: the CPU time of its process, with each way of keep-alive.
 *
 *     deno run -A scripts/idle_fleet.ts                          # 2,000 devices, a minute of each way
 *     deno run -A scripts/idle_fleet.ts --devices 500 --seconds 30 --only adaptive
 *
 * Devices and server run on this machine, over loopback, with TLS. The exit code is 1 if `adaptive` costs more than 5 % of a
 * core for 2,000 devices, 2 with bad options.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { positive, understood } from "./arguments.ts";
import { createIdentity, formatPublicKey, identityToPem, type KeepAliveMode } from "../mod.ts";
import { KEEP_ALIVE_MODES } from "../protocol/keep_alive.ts";
import { Child } from "../tests/rig/processes/child.ts";
import { startV2Server } from "../tests/rig/processes/relay.ts";
import { succeed } from "../tests/rig/processes/commands.ts";
import { TempFolder } from "../tests/rig/temp_folder.ts";
import { pause } from "../tests/rig/wait.ts";
import { say } from "../tests/rig/say.ts";

const USAGE = "deno run -A scripts/idle_fleet.ts [--devices N] [--seconds N] [--only WAY,…]";
/** Clock ticks of /proc in a second. */
const TICKS = 100;
const BAR = 5;
const BAR_DEVICES = 2_000;
/** Devices of a process: its sockets and its own CPU have bounds, too. */
const A_PROCESS = 500;
/** What a start leaves to do, in milliseconds: resumed watches, garbage, files. */
const SETTLE_MS = 30_000;

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
  const keys: string[] = [];
  const entries: string[] = [];
  for (let n = 0; n < given.devices; n++) {
    const identity = await createIdentity();
    keys.push(await identityToPem(identity));
    entries.push(`[gw${n}]\nkey = "${formatPublicKey(identity.publicKey)}"\nservices = { ssh = "127.0.0.1:0" }\n`);
  }
  let code = 0;
  for (const way of given.only) {
    const percent = await measure(way, keys, entries.join("\n"), given.seconds);
    if (way === "adaptive" && percent > BAR * given.devices / BAR_DEVICES) code = 1;
  }
  return code;
}

/** @returns per cent of a core. */
async function measure(
  way: KeepAliveMode,
  keys: readonly string[],
  entries: string,
  seconds: number,
): Promise<number> {
  using folder = new TempFolder();
  const state = folder.path;
  const [serverKey = ""] = await succeed("server", ["key", "--state", state]);
  folder.write("devices.toml", entries);
  await using server = await startV2Server(state, [
    "--devices",
    `${state}/devices.toml`,
    "--keep-alive",
    way,
    "--log-level",
    "warn",
  ]);
  await using stack = new AsyncDisposableStack();
  const processes: Child[] = [];
  for (let from = 0; from < keys.length; from += A_PROCESS) {
    const file = folder.write(`keys-${from}.json`, JSON.stringify(keys.slice(from, from + A_PROCESS)));
    const script = new URL("idle_fleet/devices.ts", import.meta.url).pathname;
    const command = [Deno.execPath(), "run", "--quiet", "-A", script, file, serverKey, `${server.port}`, way];
    const child = stack.use(Child.start("devices", command));
    await child.line(/^online$/, 0, 120_000);
    processes.push(child);
  }
  await pause(SETTLE_MS);
  const { pid } = server.child;
  const [before, since] = [cpuSeconds(pid), performance.now()];
  const theirsBefore = cpuSeconds(...processes.map((each) => each.pid));
  await pause(seconds * 1_000);
  const took = (performance.now() - since) / 1_000;
  const percent = 100 * (cpuSeconds(pid) - before) / took;
  const theirs = 100 * (cpuSeconds(...processes.map((each) => each.pid)) - theirsBefore) / took;
  const memory = residentMegabytes(pid);
  say(
    `${way}: ${keys.length} idle devices cost their server ${
      percent.toFixed(1)
    } % of a core, ${memory} MiB; themselves ${theirs.toFixed(1)} %`,
  );
  return percent;
}

/** CPU seconds that processes have used. */
function cpuSeconds(...pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]); // utime and stime
  }
  return ticks / TICKS;
}

function residentMegabytes(pid: number): number {
  const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return Math.round(Number(kilobytes) / 1024);
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
