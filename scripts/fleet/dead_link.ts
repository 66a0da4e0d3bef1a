/**
 * What a client sees that comes to a device whose path has died without a word while nobody was there: when it gets through,
 * or is reset.
 *
 *     deno run -A scripts/fleet/dead_link.ts
 *
 * The path dies right behind an answer, which is the worst moment: both sides have just heard of each other. New connections
 * get through. It takes two minutes.
 *
 * @module
 */

import type { KeepAliveMode } from "../../mod.ts";
import { Cable } from "../../tests/rig/cable.ts";
import { enrol, joinArgs, serviceOpen, startV2Server } from "../../tests/rig/processes/relay.ts";
import { startDevice } from "../../tests/rig/processes/daemons.ts";
import { portOf } from "../../tests/rig/ports.ts";
import { say } from "../../tests/rig/say.ts";
import { echoService } from "../../tests/rig/service.ts";
import { Stream } from "../../tests/rig/stream.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { pause, poll } from "../../tests/rig/wait.ts";

/** Until a link is slow that nobody uses, and until it has asked once more then, in milliseconds. */
const [SLOW_MS, ASKS_MS] = [22_000, 40_000];
/** Between a question and the cut: the answer, and what acknowledges it. */
const ANSWER_MS = 1_000;

await Promise.all([look("adaptive", "15s"), look("adaptive", "45s"), look("fast", "15s")]);

async function look(way: KeepAliveMode, expiration: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(new TempFolder());
  const echo = stack.use(echoService());
  const told = ["--keep-alive", way, "--expiration", expiration];
  const server = stack.use(await startV2Server(folder.path, told));
  const cable = stack.use(new Cable(server.port));
  const text = await enrol(folder.path, `127.0.0.1:${cable.port}`, ["echo"]);
  const args = joinArgs(folder.path, text, [`echo=127.0.0.1:${echo.port}`]);
  const device = stack.use(startDevice([...args, ...told]));
  const port = portOf(await serviceOpen(device, "echo"));
  await pause(SLOW_MS);
  const before = cable.carried;
  await poll(() => cable.carried > before, () => "nobody asked", ASKS_MS);
  await pause(ANSWER_MS);
  cable.cut();
  const since = performance.now();
  using client = await Stream.connect(port);
  await client.write("x");
  const got = await client.readSome();
  const took = ((performance.now() - since) / 1_000).toFixed(1);
  say(`${way}, expiration ${expiration}: the client ${got === null ? "is reset" : "gets through"} after ${took} s`);
}
