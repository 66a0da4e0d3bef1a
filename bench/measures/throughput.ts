/**
 * Bulk transfer through a target: by iperf3 where it is on the PATH, else by our own load generator and service.
 *
 * @module
 */

import type { Child } from "../../tests/rig/processes/child.ts";
import { find } from "../../tests/rig/processes/programs.ts";
import { freePort } from "../../tests/rig/ports.ts";
import { pause } from "../../tests/rig/wait.ts";
import { endOf, startChild } from "../child.ts";
import { runLoad, startService } from "../processes.ts";

/** From client to service, or back. */
export type Direction = "up" | "down";

/** What a transfer came to. */
export interface Transfer {
  /** As counted where the bytes arrived. */
  readonly bitsPerSecond: number;
  /** Bytes that arrived. */
  readonly bytes: number;
}

/** A service to move bytes to and from, and a client for it. */
export interface Throughput {
  /** The program that measures. */
  readonly tool: string;
  readonly servicePort: number;
  /** Moves bytes through `port` for `seconds`. */
  transfer(port: number, direction: Direction, streams: number, seconds: number): Promise<Transfer>;
  stop(): Promise<unknown>;
}

export function startThroughput(): Promise<Throughput> {
  const iperf3 = find("iperf3");
  return iperf3 === undefined ? startBuiltIn() : startIperf3(iperf3);
}

async function startBuiltIn(): Promise<Throughput> {
  const { port, child } = await startService("bulk");
  return {
    tool: "a built-in sink and source (install iperf3 for figures that compare with others)",
    servicePort: port,
    async transfer(port, direction, streams, seconds) {
      const { rate, bytes } = await runLoad(direction, { port }, seconds, streams);
      return { bitsPerSecond: rate * 8, bytes: bytes ?? 0 };
    },
    stop: () => child.stop(),
  };
}

async function startIperf3(iperf3: string): Promise<Throughput> {
  const { port: servicePort, child } = await startIperf3Server(iperf3);
  const version = new TextDecoder().decode((await new Deno.Command(iperf3, { args: ["--version"] }).output()).stdout);
  return {
    tool: version.split(" (")[0]!.trim(),
    servicePort,
    async transfer(port, direction, streams, seconds) {
      const args = ["-c", "127.0.0.1", "-p", `${port}`, "-t", `${seconds}`, "-P", `${streams}`, "-i", "0", "-J"];
      if (direction === "down") args.push("-R");
      for (let attempt = 1;; attempt++) {
        const client = startChild("iperf3", [iperf3, ...args]);
        await endOf(client, (seconds + 20) * 1000);
        const result = parseIperf3(client.stdout.join("\n"));
        if (typeof result !== "string") return result;
        if (attempt === 10 || !result.includes("busy")) throw new Error(`iperf3: ${result}`);
        await pause(200); // the end of the last test is still on its way through the relay
      }
    },
    stop: () => child.stop(),
  };
}

/** iperf3 cannot pick a port and tell it, so another process may be faster: then it is tried again. */
async function startIperf3Server(iperf3: string): Promise<{ port: number; child: Child }> {
  for (let attempt = 1;; attempt++) {
    const port = freePort();
    const child = startChild("iperf3 -s", [iperf3, "-s", "-B", "127.0.0.1", "-p", `${port}`, "--forceflush"]);
    try {
      await child.line(/^Server listening on /);
      return { port, child };
    } catch (error) {
      await child.stop();
      if (attempt === 3) throw error;
    }
  }
}

/** What a report of iperf3 says, or why there is none. */
function parseIperf3(json: string): Transfer | string {
  let report: { error?: string; end?: { sum_received?: { bits_per_second?: number; bytes?: number } } };
  try {
    report = JSON.parse(json);
  } catch {
    return `no report: ${json.slice(0, 200)}`;
  }
  const { bits_per_second: bitsPerSecond, bytes } = report.end?.sum_received ?? {};
  if (report.error !== undefined || bitsPerSecond === undefined || bytes === undefined) {
    return report.error ?? "a report without a sum";
  }
  return { bitsPerSecond, bytes };
}
