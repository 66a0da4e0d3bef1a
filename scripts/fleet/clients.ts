/**
 * Idle clients of a whole fleet, in one process: `clients.ts DEVICES EACH`. Each exchanges a byte with its service and stays
 * until stdin ends. Prints `ready COUNT` when all are there, and what went wrong with those that are not.
 *
 * @module
 */

import type { Socket } from "../../net/socket.ts";
import { closeQuietly } from "../../tests/rig/close_quietly.ts";
import { engine, never } from "../../tests/rig/engine.ts";
import { say } from "../../tests/rig/say.ts";
import { readFull, writeAll } from "../../tests/rig/stream.ts";
import { hostOf } from "./fleet.ts";

/** Clients that come at once. */
const OPENERS = 16;

const [devices = 0, each = 0] = Deno.args.map(Number);
const clients: Socket[] = [];
const errors: Record<string, number> = {};
let [next, ready] = [0, 0];
await Promise.all(Array.from({ length: OPENERS }, async () => {
  const byte = Uint8Array.of(1);
  while (next < devices * each) {
    try {
      const client = await engine.connect(hostOf(next++ % devices), { signal: never });
      clients.push(client);
      await writeAll(client, byte);
      if (!await readFull(client, byte)) throw new Error("closed before its answer");
      ready++;
    } catch (error) {
      errors[String(error)] = (errors[String(error)] ?? 0) + 1;
    }
  }
}));
say(`ready ${ready} ${JSON.stringify(errors)}`);
for await (const _ of Deno.stdin.readable);
clients.forEach(closeQuietly);
Deno.exit(0);
