/**
 * A server in a process of its own, and many devices in some others, over loopback with TLS: for scripts that measure what a
 * fleet costs. Each device has a loopback address on which its one service has its host port.
 *
 * @module
 */

import { createIdentity, formatPublicKey, identityToPem, type KeepAliveMode } from "../../mod.ts";
import { anonymousBytes, cpuSeconds } from "../../tests/rig/processes/proc_stats.ts";
import { pause } from "../../tests/rig/wait.ts";
import { Child } from "../../tests/rig/processes/child.ts";
import { succeed } from "../../tests/rig/processes/commands.ts";
import type { ServerProcess } from "../../tests/rig/processes/daemons.ts";
import { startV2Server } from "../../tests/rig/processes/relay.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";

/** Devices of a process: its sockets and its own CPU have bounds, too. */
const A_PROCESS = 500;
/** Time that a process of devices may take until all of them are linked, in milliseconds. */
const START_MS = 120_000;
/** Where every device has its service. */
const HOST_PORT = 2_200;

/** The host address of a device's service. */
export function hostOf(n: number): { readonly hostname: string; readonly port: number } {
  return { hostname: `127.77.${n >> 8}.${n & 255}`, port: HOST_PORT };
}

/** Devices that are in the server's file. */
export interface Members {
  /** Their private keys, as PEM. */
  readonly keys: readonly string[];
  /** The file. */
  readonly file: string;
}

/** Makes so many. */
export async function membersOf(count: number): Promise<Members> {
  const keys: string[] = [];
  let file = "";
  for (let n = 0; n < count; n++) {
    const identity = await createIdentity();
    keys.push(await identityToPem(identity));
    const { hostname, port } = hostOf(n);
    file += `[gw${n}]\nkey = "${formatPublicKey(identity.publicKey)}"\nservices = { ssh = "${hostname}:${port}" }\n\n`;
  }
  return { keys, file };
}

/** A relay with its fleet. */
export interface FleetRelay extends AsyncDisposable {
  readonly server: ServerProcess;
  /** Processes with devices. */
  readonly devices: readonly Child[];
  /** The folder of the server's state. */
  readonly state: string;
}

/** How it is started. */
export interface FleetOptions {
  readonly members: Members;
  readonly keepAlive: KeepAliveMode;
  /** The port of the service that all devices lead to. */
  readonly servicePort: number;
  /** More arguments of the server. */
  readonly server?: readonly string[];
}

/** Starts it. Resolves when all devices are linked. */
export async function startFleet(
  { members, keepAlive, servicePort, server: more = [] }: FleetOptions,
): Promise<FleetRelay> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(new TempFolder());
  const state = folder.path;
  const [serverKey = ""] = await succeed("server", ["key", "--state", state]);
  const list = folder.write("devices.toml", members.file);
  const given = ["--devices", list, "--keep-alive", keepAlive, "--log-level", "warn", ...more];
  const preload = new URL("turns.ts", import.meta.url).pathname;
  const server = stack.use(await startV2Server(state, given, { flags: ["--preload", preload] }));
  const devices: Child[] = [];
  for (let from = 0; from < members.keys.length; from += A_PROCESS) {
    const file = folder.write(`keys-${from}.json`, JSON.stringify(members.keys.slice(from, from + A_PROCESS)));
    const child = stack.use(startScript("devices", file, serverKey, `${server.port}`, keepAlive, `${servicePort}`));
    await child.line(/^online$/, 0, START_MS);
    devices.push(child);
  }
  const whole = stack.move();
  return { server, devices, state, [Symbol.asyncDispose]: () => whole.disposeAsync() };
}

/** What the relay costs while nothing happens. */
export async function costOf({ server, devices }: FleetRelay, seconds: number) {
  const pids = [server.child.pid, ...devices.map(({ pid }) => pid)];
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

/** Starts a script of this folder in a process of its own, with an open stdin. */
export function startScript(name: string, ...args: readonly string[]): Child {
  const script = new URL(`${name}.ts`, import.meta.url).pathname;
  return Child.start(name, [Deno.execPath(), "run", "--quiet", "-A", script, ...args], { input: true });
}
