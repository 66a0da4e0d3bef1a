/**
 * Two machines with a slow cable between them, as network namespaces: server and clients on one, device and service on the
 * other.
 *
 * @module
 */

import { DEVICE_ADDRESS, Namespaces, SERVER_ADDRESS } from "../tests/rig/machines/namespaces.ts";
import { find } from "../tests/rig/processes/programs.ts";
import type { Machine } from "./targets/target.ts";

/** What the cable carries in a second, in each direction. */
export const CABLE_BITS = 10_000_000;

/** A cable of 10 Mbit/s, with a queue of 200 ms at either end, as uplinks have it. */
const QUEUE = ["tbf", "rate", "10mbit", "burst", "15kb", "latency", "200ms"];

export interface Cable {
  readonly server: Machine;
  readonly device: Machine;
}

const made = new Set<Namespaces>();

/** Makes it. */
export async function openCable(): Promise<Cable> {
  const net = await Namespaces.create();
  made.add(net);
  for (const machine of ["server", "device"] as const) {
    await net.run(machine, find("tc")!, "qdisc", "add", "dev", "cable", "root", ...QUEUE);
  }
  return {
    server: { prefix: net.on("server"), address: SERVER_ADDRESS },
    device: { prefix: net.on("device"), address: DEVICE_ADDRESS },
  };
}

/** Removes all that were made. Their processes have to be ended before. */
export async function removeCables(): Promise<void> {
  for (const net of made) {
    made.delete(net);
    await net[Symbol.asyncDispose]();
  }
}

/** What this machine lacks for it. */
export function cableLacks(): string | undefined {
  const ip = find("ip");
  if (Deno.uid() !== 0) return "root, to make network namespaces";
  if (ip === undefined || find("tc") === undefined) {
    return "ip and tc; install them with: apt-get install iproute2";
  }
  const name = `sallyport-bench-${Deno.pid}`;
  const run = (...args: string[]) =>
    new Deno.Command(ip, { args: ["netns", ...args], stdin: "null", stdout: "null", stderr: "null" }).outputSync();
  if (!run("add", name).success) return "the right to make network namespaces";
  run("del", name);
  return undefined;
}
