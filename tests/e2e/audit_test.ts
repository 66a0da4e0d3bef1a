/**
 * A server's audit, as it comes about with real devices, clients and commands.
 *
 * @module
 */

import assert from "node:assert/strict";
import { adminClient } from "../../app/admin/client.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoRelay } from "../rig/processes/relay.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

type Line = Record<string, unknown>;

function linesOf(path: string): Line[] {
  return Deno.readTextFileSync(path).split("\n").filter((text) => text !== "").map((text) => JSON.parse(text) as Line);
}

processTest("who came, and who did what by the API or a command, is in the audit", [], async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/audit.log`;
  await using echo = await echoRelay({ server: ["--audit", path] });
  const { relay } = echo;
  const client = await Stream.connect(relay.hostPort);
  await client.write("hello");
  await client.read(5);
  client.close();
  const has = (event: string) => linesOf(path).some((line) => line["event"] === event);
  await poll(() => has("client-end"), () => Deno.readTextFileSync(path));
  await relay.command("drop", "gw1"); // by the API
  await relay.server.child.line(/^link-resumed gw1 /);
  await relay.command("disable", "gw1"); // by the file
  await poll(() => has("device-change") && has("link-down"), () => Deno.readTextFileSync(path));
  const lines = linesOf(path);
  const find = (event: string) => lines.find((line) => line["event"] === event)!;
  const { key } = find("enrolled");
  assert.match(key as string, /^\S+$/);
  assert.deepEqual([find("link-up")["device"], find("link-up")["key"]], ["gw1", key]);
  const end = find("client-end");
  assert.deepEqual([end["device"], end["key"], end["service"], end["reason"]], ["gw1", key, "echo", "client-closed"]);
  assert.deepEqual([end["bytesUp"], end["bytesDown"]], [5, 5]);
  assert.match(end["client"] as string, /^127\.0\.0\.1:\d+$/);
  assert.deepEqual(find("device-change")["change"], "added");
  const acts = lines.filter((line) => line["event"] === "act");
  assert.deepEqual(acts.map((line) => line["act"]).toSorted(), [
    "POST /v1/devices/gw1/drop",
    "server disable",
    "server enroll",
  ]);
  const disable = acts.find((line) => line["act"] === "server disable")!;
  assert.deepEqual(disable["arguments"], ["gw1"]);
  assert.equal((disable["by"] as Line)["via"], "command");
  assert.doesNotMatch(Deno.readTextFileSync(path), /sp2_/);

  using api = adminClient({ socket: `${relay.folder.path}/server/admin.sock` });
  const { items } = await api.get<{ items: Line[] }>("/v1/audit?limit=500");
  assert.deepEqual(items.toReversed(), lines);
  await assert.rejects(api.get("/v1/audit?cursor=x"), /cursor/);

  Deno.renameSync(path, `${path}.moved`);
  relay.server.child.signal("SIGHUP");
  await relay.server.logged(/reloaded: /);
  await assert.rejects(api.post("/v1/devices/gw7/drop"), /no device/);
  await poll(() => linesOf(path).length > 0, () => "nothing is in the new file");
  assert.equal(linesOf(path)[0]!["status"], 404);
});
