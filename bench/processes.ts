/**
 * The load generator and the services as processes of their own, so that they do not disturb each other.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Child } from "../tests/rig/processes/child.ts";
import { endOf, startChild } from "./child.ts";
import type { LoadReport } from "./load/main.ts";
import { HERE, type Machine } from "./targets/target.ts";

const SERVICE = script("service.ts");
const LOAD = script("load/main.ts");

/** Where a load goes, and comes from. */
export interface LoadRoute {
  readonly port: number;
  /** The address (default: 127.0.0.1). */
  readonly host?: string | undefined;
  /** The machine of the clients (default: this one). */
  readonly from?: Machine;
}

export interface Service {
  readonly port: number;
  readonly child: Child;
}

/** Starts a service of `service.ts`; on another machine it listens at all addresses. */
export async function startService(kind: "echo" | "bulk", { prefix }: Machine = HERE): Promise<Service> {
  const address = prefix.length === 0 ? "127.0.0.1" : "0.0.0.0";
  const child = startChild(`${kind} service`, [...prefix, ...program(SERVICE, kind, address)]);
  const [, port] = await child.line(/^port (\d+)$/);
  return { port: Number(port), child };
}

/** Starts the load generator; see `load/main.ts`. */
export function startLoad(kind: string, route: LoadRoute, seconds: number, count: number): Child {
  const { port, host = "127.0.0.1", from = HERE } = route;
  const command = program(LOAD, kind, host, `${port}`, `${seconds}`, `${count}`);
  return startChild(`load of ${kind}`, [...from.prefix, ...command]);
}

/** Runs the load generator to its end. */
export async function runLoad(kind: string, route: LoadRoute, seconds: number, count: number): Promise<LoadReport> {
  return await finishLoad(startLoad(kind, route, seconds, count), seconds);
}

/** What a load generator reports at its end, which has to come soon after its `seconds`. */
export async function finishLoad(child: Child, seconds: number): Promise<LoadReport> {
  await endOf(child, (seconds + 20) * 1000);
  return reportOf(child);
}

/** The report that a load generator left. */
export function reportOf(child: Child): LoadReport {
  const report = child.stdout.findLast((line) => line.startsWith("{"));
  if (report === undefined) throw new Error(`${child.name}: ${child.tail}`);
  return JSON.parse(report);
}

function program(script: string, ...args: string[]): string[] {
  return [Deno.execPath(), "run", "-A", "--no-prompt", script, ...args];
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
