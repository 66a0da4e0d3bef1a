/**
 * How soon a server with a fleet answers, and what that costs its links.
 *
 * @module
 */

import { ADMIN_SOCKET } from "../../app/admin/address.ts";
import { listed } from "../../app/admin/cli/ask.ts";
import { adminClient } from "../../app/admin/client.ts";
import { sallyport, type ServerProcess } from "../../tests/rig/processes/daemons.ts";
import type { Fleet } from "./fleet.ts";

/** What came of one question. */
export interface Asked {
  readonly what: string;
  /** The median of its times, in milliseconds. */
  readonly ms: number;
  /** The longest turn of the event loop meanwhile, in milliseconds; not known of binaries. */
  readonly turn: number | undefined;
  readonly text: string;
}

/** How often each is asked; the first one once. */
const ROUNDS = 7;

/** The first question has the server load what answers it. */
export const FIRST_QUESTION = "the first question of all";

/** Asks for everything, one after the other. */
export async function* askAll({ server, state }: Fleet): AsyncGenerator<Asked, void, void> {
  using client = adminClient({ socket: `${state}/server/${ADMIN_SOCKET}` });
  const http = Deno.createHttpClient({ proxy: { transport: "unix", path: `${state}/server/${ADMIN_SOCKET}` } });
  const all = async (path: string, match?: string) => {
    let count = 0;
    for await (const _ of listed(client, path, { match })) count++;
    return `${count} entries`;
  };
  const metrics = async (accept?: string) => {
    const response = await fetch("http://localhost/metrics", { client: http, headers: accept ? { accept } : {} });
    return `${(await response.text()).length} bytes`;
  };
  const run = (...args: string[]) => async () => {
    const [program = "", ...rest] = sallyport("server", [...args, "--state", state]);
    const { stdout, success } = await new Deno.Command(program, { args: rest, stderr: "inherit" }).output();
    if (!success) throw new Error(`${args.join(" ")} failed`);
    return `${stdout.length} bytes`;
  };
  const questions: Record<string, () => Promise<string | void>> = {
    [FIRST_QUESTION]: async () => void await client.get("/v1/server"),
    "nothing": () => new Promise((resolve) => setTimeout(resolve, 500)),
    "GET /v1/server": async () => void await client.get("/v1/server"),
    "GET /v1/devices, page after page": () => all("/v1/devices"),
    "GET /v1/clients, page after page": () => all("/v1/clients"),
    "GET /v1/devices?match=gw99*": () => all("/v1/devices", "gw99*"),
    "GET /v1/refusals": () => all("/v1/refusals"),
    "GET /v1/audit": async () => void await client.get("/v1/audit?limit=100"),
    "GET /v1/history": async () => void await client.get("/v1/history"),
    "GET /metrics": () => metrics(),
    "GET /metrics, four at once": async () => (await Promise.all([metrics(), metrics(), metrics(), metrics()]))[0],
    "sallyport server status": run("status"),
    "sallyport server devices --json": run("devices", "--json"),
    "sallyport server clients --json": run("clients", "--json"),
  };
  for (const [what, ask] of Object.entries(questions)) {
    let said: string | void;
    const times: number[] = [];
    const rounds = what === FIRST_QUESTION ? 1 : ROUNDS;
    const turns = await turnsOf(server, async () => {
      while (times.length < rounds) {
        const since = performance.now();
        said = await ask();
        times.push(performance.now() - since);
      }
    });
    const ms = times.toSorted((a, b) => a - b)[times.length >> 1]!;
    const beside = turns ? `; longest turn ${turns.longest} ms, ${turns.over} of more than 10` : "";
    yield {
      what,
      ms,
      turn: turns?.longest,
      text: `${what}: ${ms.toFixed(0)} ms (most ${Math.max(...times).toFixed(0)})${said! ? `, ${said}` : ""}${beside}`,
    };
  }
  http.close();
}

/** The longest turn of the server's event loop while `fn` runs, of CPU time; see `turns.ts`. */
export async function turnsOf(
  { child }: ServerProcess,
  fn: () => Promise<void>,
): Promise<{ readonly longest: number; readonly over: number } | undefined> {
  if (Deno.env.get("SALLYPORT_BINARIES")) {
    await fn();
    return undefined;
  }
  const from = child.stdout.length;
  child.signal("SIGUSR2");
  await child.line(/^looking$/, from);
  await fn();
  child.signal("SIGUSR2");
  const [, longest, over] = await child.line(/^turns (\S+) (\d+)$/, from);
  return { longest: Number(longest), over: Number(over) };
}
