/**
 * The load generator and the services as processes of their own, so that they do not disturb each other.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Child, within } from "./child.ts";
import type { LoadReport } from "./load.ts";

const SERVICE = script("service.ts");
const LOAD = script("load.ts");

/** Starts a service of `service.ts`. */
export async function startService(kind: "echo" | "bulk"): Promise<{ port: number; child: Child }> {
  const child = new Child(Deno.execPath(), ["run", "-A", "--no-prompt", SERVICE, kind], { name: `${kind} service` });
  const [, port] = await child.line(/^port (\d+)$/);
  return { port: Number(port), child };
}

/** Starts the load generator; see `load.ts`. */
export function startLoad(kind: string, port: number, seconds: number, count: number): Child {
  const args = ["run", "-A", "--no-prompt", LOAD, kind, `${port}`, `${seconds}`, `${count}`];
  return new Child(Deno.execPath(), args, { name: `load of ${kind}` });
}

/** Runs the load generator to its end. */
export async function runLoad(kind: string, port: number, seconds: number, count: number): Promise<LoadReport> {
  const child = startLoad(kind, port, seconds, count);
  try {
    await within(child.ended, (seconds + 20) * 1000, `${child.name} did not end in time`);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return reportOf(child);
}

/** The report that a load generator left. */
export function reportOf(child: Child): LoadReport {
  const report = child.lines.findLast((line) => line.startsWith("{"));
  if (report === undefined) throw new Error(`${child.name}: ${child.tail()}`);
  return JSON.parse(report);
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
