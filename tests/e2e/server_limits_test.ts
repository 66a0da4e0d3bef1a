/**
 * Limits of a whole server: whoever comes when one is reached is refused, and nobody who is in is touched.
 *
 * @module
 */

import assert from "node:assert/strict";
import { adminClient } from "../../app/admin/client.ts";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice, startServer } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { enrol, joinArgs, serviceOpen } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

interface Limit {
  readonly name: string;
  readonly used: number;
  readonly most: number | null;
  readonly reached: boolean;
  readonly since: string | null;
  readonly refused: number;
}

interface Facts {
  readonly limits: readonly Limit[];
  readonly limit: string | null;
}

/** A server whose limits are set by its file, and changed by reloading it. */
async function limitedServer(folder: TempFolder, ...limits: string[]) {
  const audit = `${folder.path}/audit.log`;
  const always = ['listen = "127.0.0.1:0"', 'metrics = "127.0.0.1:0"', `audit = "${audit}"`];
  const write = (lines: string[]) => folder.write("server.toml", lines.join("\n"));
  const file = write([...always, ...limits]);
  const server = await startServer(["--config", file, "--state", folder.path]);
  const { stdout } = await outcome("server", ["--config", file, "--check"]);
  return {
    server,
    checked: stdout,
    /** Sets others. @returns what the command said. */
    async change(...limits: string[]) {
      write([...always, ...limits]);
      return await succeed("server", ["reload", "--state", folder.path]);
    },
    status: () => succeed("server", ["status", "--state", folder.path]),
    async facts() {
      using api = adminClient({ socket: `${folder.path}/server/admin.sock` });
      const facts = await api.get<Facts>("/v1/server");
      return { facts, of: (name: string) => facts.limits.find((limit) => limit.name === name)! };
    },
    audited: (event: string) =>
      Deno.readTextFileSync(audit).split("\n").filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line["event"] === event),
  };
}

/** A device of its own, with a state of its own. */
async function device(folder: TempFolder, server: { readonly address: string }, name: string, port: number) {
  const text = await enrol(folder.path, server.address, ["echo"], { device: name });
  const state = `${folder.path}/${name}`;
  return {
    join: () => startDevice(joinArgs(state, text, [`echo=127.0.0.1:${port}`])),
    again: () => startDevice(["--state", state]),
  };
}

async function talk(client: Stream): Promise<void> {
  await client.write("x");
  await client.read(1);
}

/** A client that the server resets. */
async function refused(port: number): Promise<void> {
  using client = await Stream.connect(port);
  await assert.rejects(talk(client));
}

processTest("devices beyond the limits are refused and told of, and those who are in stay", [], async () => {
  using folder = new TempFolder();
  await using echo = echoService();
  const limited = await limitedServer(folder, "max-links = 1", "max-devices = 2");
  await using server = limited.server;
  assert.ok(limited.checked.includes("max-links 1") && limited.checked.includes("max-devices 2"));
  const [gw1, gw2, gw3] = [
    await device(folder, server, "gw1", echo.port),
    await device(folder, server, "gw2", echo.port),
    await device(folder, server, "gw3", echo.port),
  ];
  await using first = gw1.join();
  using client = await Stream.connect(portOf(await serviceOpen(first, "echo")));
  await talk(client);
  {
    await using second = gw2.join();
    await second.logged(/devices linked: 1 are the most for this server \(max-links\)/);
    await using third = gw3.join();
    await third.logged(/devices registered: 2 are the most for this server \(max-devices\)/);
  }
  await talk(client);
  const { facts, of } = await limited.facts();
  const links = of("devices linked");
  assert.deepEqual([facts.limit, links.used, links.most, links.reached], ["devices linked", 1, 1, true]);
  assert.ok(links.refused >= 1 && links.since !== null);
  assert.ok(of("devices registered").reached && of("devices registered").refused >= 1);
  const reached = (await limited.status()).filter((line) => line.startsWith("REACHED"));
  assert.match(reached[0]!, /^REACHED +devices linked: 1 of 1, for .*; \d+ refused since it runs$/);
  assert.match(reached[1]!, /^REACHED +devices registered: 2 of 2/);
  await server.logged(/devices linked: 1 of 1, a limit of this server \(max-links\); newcomers are refused, 1 by now/);
  const [line] = limited.audited("limit-reached");
  assert.deepEqual([line!["limit"], line!["used"], line!["most"], line!["refused"]], ["devices linked", 1, 1, 1]);
  assert.ok(limited.audited("refused").every(({ reason }) => reason === "server-limit"));
  const { stdout } = await outcome("server", ["doctor", "--json", "--state", folder.path]);
  const found = JSON.parse(stdout.at(-1)!) as { check: string; text: string }[];
  const capacity = found.find(({ check }) => check === "capacity");
  assert.match(capacity!.text, /^2 devices are registered, and max-links lets 1 in at once$/, "of the one that runs");
  const [, at] = await server.child.line(/^metrics (\S+)$/);
  const metrics = await (await fetch(`http://${at}/metrics`)).text();
  assert.match(metrics, /^sallyport_limit_refusals_total\{limit="devices linked"\} [1-9]/m);
  assert.match(metrics, /^sallyport_refusals_total\{reason="server-limit"\} [2-9]/m);
  assert.deepEqual(await limited.change("max-links = 2", "max-devices = 2"), ["changed max-links 1 -> 2"]);
  await using second = gw2.again();
  await serviceOpen(second, "echo");
  await talk(client);
});

processTest("clients and handshakes beyond the limits are refused, and those who are in stay", [], async () => {
  using folder = new TempFolder();
  await using echo = echoService();
  const limited = await limitedServer(folder, "max-sockets = 2");
  await using server = limited.server;
  const gw1 = await device(folder, server, "gw1", echo.port);
  const gw2 = await device(folder, server, "gw2", echo.port);
  await using linked = gw1.join();
  const port = portOf(await serviceOpen(linked, "echo"));
  using client = await Stream.connect(port);
  await talk(client);
  await refused(port);
  await talk(client);
  assert.equal((await limited.facts()).facts.limit, "sockets");
  await poll(() => limited.audited("client-end").length === 1, () => "no line in the audit");
  assert.deepEqual(limited.audited("client-end")[0]!["reason"], "server-limit");
  assert.deepEqual(await limited.change('max-memory = "1MB"'), [
    "changed max-memory none -> 1MB",
    "changed max-sockets 2 -> none",
  ]);
  await refused(port);
  await talk(client);
  assert.equal((await limited.facts()).facts.limit, "bytes of memory");
  await limited.change('handshake-rate = "1/h"');
  using another = await Stream.connect(port);
  await talk(another);
  {
    await using strangers = gw2.join();
    await serviceOpen(strangers, "echo");
  }
  await using late = gw2.again();
  await server.logged(/handshakes at once: 1 of 1, a limit of this server \(handshake-rate\)/);
  await late.logged(/next try|retr/);
  await talk(client);
  await limited.change();
  await serviceOpen(late, "echo");
});
