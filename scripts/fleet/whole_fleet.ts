/**
 * A server with a whole fleet and its clients, and how soon whoever looks at it sees it: `status`, lists, metrics, and the
 * dashboard in a Chromium; what that costs links (the longest turn of the event loop), and what all of it costs in memory and
 * CPU time.
 *
 *     deno run -A scripts/fleet/whole_fleet.ts                              # 2,000 devices with 5 clients each
 *     deno run -A scripts/fleet/whole_fleet.ts --devices 500 --clients 2 --seconds 10
 *     deno run -A scripts/fleet/whole_fleet.ts --skip dashboard
 *
 * Devices, clients and server run on this machine, over loopback, with TLS. The exit code is 1 if a bar is missed, 2 with
 * bad options, 3 where it cannot be run.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Child, openFilesLimit } from "../../tests/rig/processes/child.ts";
import { find } from "../../tests/rig/processes/programs.ts";
import { say } from "../../tests/rig/say.ts";
import { echoService } from "../../tests/rig/service.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { pause } from "../../tests/rig/wait.ts";
import { positive, understood, wholeNumber } from "../arguments.ts";
import { askAll, type Asked, FIRST_QUESTION } from "./ask.ts";
import { lookAtDashboard } from "./look.ts";
import { costOf } from "./cost.ts";
import { Fleet, FleetKeys, SETTLE_MS } from "./fleet.ts";

const USAGE = "deno run -A scripts/fleet/whole_fleet.ts [--devices N] [--clients N] [--seconds N] [--skip dashboard]";

/** What may not be exceeded with 2,000 devices and 10,000 clients. */
const BARS = {
  /** Milliseconds of `status`, as the API answers it. */
  status: 100,
  /** Milliseconds of the longest turn of the event loop while somebody asks. */
  turn: 20,
  /** Milliseconds of a page's longest task when something changes. */
  task: 100,
  /** Per cent of a core while nothing happens. */
  rest: 5,
  /** Kilobytes of an idle client, of both ends together. */
  client: 16,
} as const;

/** Sockets of the server beside one for each client, and two for each device. */
const MORE_FILES = 256;
/** Clients from which it can be said what one costs. */
const ENOUGH_CLIENTS = 5_000;
/** Time that clients may take until all are there, in milliseconds. */
const ARRIVAL_MS = 300_000;

interface Options {
  readonly devices: number;
  readonly clients: number;
  readonly seconds: number;
  readonly dashboard: boolean;
}

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const given = understood(options, args, USAGE);
  if (!given) return 2;
  const { devices, clients, seconds } = given;
  const files = devices * (clients + 2) + MORE_FILES;
  if (openFilesLimit(files) < files) {
    say(`this needs ${files} open files a process (ulimit -Hn)`);
    return 3;
  }
  await using service = echoService();
  const flags = ["--preload", new URL("turns.ts", import.meta.url).pathname];
  const keys = await FleetKeys.make(devices);
  using folder = new TempFolder();
  const server = ["--audit", `${folder.path}/audit.log`];
  await using fleet = await Fleet.start(keys, "adaptive", { server, flags, servicePort: service.port });
  await pause(SETTLE_MS);
  const faults = new Faults();
  const alone = await costOf(fleet, seconds);
  say(`${devices} devices, no client: ${alone.text}`);
  faults.demand("CPU at rest", alone.percent, BARS.rest, "%");
  await using crowd = await clientsOf(devices, clients);
  if (crowd) {
    await pause(SETTLE_MS);
    const together = await costOf(fleet, seconds);
    say(`${devices * clients} idle clients beside: ${together.text}`);
    const each = (together.bytes - alone.bytes) / (devices * clients) / 1_000;
    say(`a client costs ${each.toFixed(1)} KB, of server and devices together`);
    // With few, what grew meanwhile in the programs themselves counts for more than what the clients hold.
    if (devices * clients >= ENOUGH_CLIENTS) faults.demand("memory of a client, in KB", each, BARS.client, "");
  }
  for await (const asked of askAll(fleet)) {
    say(asked.text);
    judge(faults, asked);
  }
  if (given.dashboard) {
    const { longestTask, longestTurn } = await lookAtDashboard(fleet, devices, seconds);
    faults.demand("longest task of the page", longestTask, BARS.task, "ms");
    faults.demand("longest turn beside the dashboard", longestTurn, BARS.turn, "ms");
  }
  const after = await costOf(fleet, seconds);
  say(`after all of that: ${after.text}`);
  return faults.code;
}

function judge(faults: Faults, { what, ms, turn }: Asked): void {
  if (what === FIRST_QUESTION) return; // once in the life of a server
  if (what === "GET /v1/server") faults.demand(what, ms, BARS.status, "ms");
  if (turn !== undefined) faults.demand(`longest turn beside ${what}`, turn, BARS.turn, "ms");
}

/** What was missed. */
class Faults {
  code = 0;

  demand(what: string, value: number, bar: number, unit: string): void {
    if (value <= bar) return;
    say(`FAULT: ${what}: ${value.toFixed(1)} ${unit}; ${bar} is the bar`.replace("  ", " "));
    this.code = 1;
  }
}

/** The clients, unless there are to be none. */
async function clientsOf(devices: number, each: number): Promise<Child | undefined> {
  if (each === 0) return undefined;
  const script = new URL("clients.ts", import.meta.url).pathname;
  const command = [Deno.execPath(), "run", "--quiet", "-A", script, `${devices}`, `${each}`];
  const crowd = Child.start("clients", command, { input: true });
  const since = performance.now();
  const [, count, errors] = await crowd.line(/^ready (\d+) (.*)$/, 0, ARRIVAL_MS);
  say(
    `${count} clients came in ${((performance.now() - since) / 1_000).toFixed(1)} s${
      errors === "{}" ? "" : `: ${errors}`
    }`,
  );
  return crowd;
}

function options(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: "string" },
      clients: { type: "string" },
      seconds: { type: "string" },
      skip: { type: "string" },
    },
  });
  if (![undefined, "dashboard"].includes(values.skip)) throw new SyntaxError("--skip takes dashboard");
  const number = (name: "devices" | "clients", preset: number) => {
    const text = values[name];
    return text === undefined ? preset : wholeNumber(name, text);
  };
  return {
    devices: number("devices", 2_000),
    clients: number("clients", 5),
    seconds: values.seconds === undefined ? 30 : positive("seconds", values.seconds),
    dashboard: values.skip === undefined && find("chromium") !== undefined,
  };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
