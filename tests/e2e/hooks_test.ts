/**
 * Commands on events, and the lines on stdout beside them, of real processes whose link is cut.
 *
 * @module
 */

import assert from "node:assert/strict";
import { HOOK_EVENTS } from "../../app/hooks/hooks.ts";
import { spawnHook } from "../../app/hooks/process.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { Cable } from "../rig/cable.ts";
import { Child } from "../rig/processes/child.ts";
import { succeed } from "../rig/processes/commands.ts";
import { type Daemon, sallyport, ServerProcess, startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { poll, within } from "../rig/wait.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { enrol, joinArgs, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";

/** Writes down what it finds in its environment; a line of dashes ends it. */
const WRITE_DOWN = '#!/bin/sh\n{ env; echo "ARGUMENTS=$*"; echo ---; } >> "$1"\n';

/** What hooks have written down. */
class Notes {
  readonly script: string;
  readonly #folder: TempFolder;

  constructor(folder: TempFolder) {
    this.#folder = folder;
    this.script = folder.write("hook.sh", WRITE_DOWN, 0o700);
  }

  /** The lines of a configuration file that have every event of `role` written down. */
  hooks(role: string): string {
    const words = (event: string) => JSON.stringify([this.script, `${this.#folder.path}/${role}.notes`, `$(${event})`]);
    return HOOK_EVENTS.map((event) => `on-${event} = ${words(event)}\n`).join("");
  }

  /** The environments of the hooks of `role` that have ended. */
  of(role: string): Record<string, string>[] {
    let text: string;
    try {
      text = Deno.readTextFileSync(`${this.#folder.path}/${role}.notes`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
    return text.split("---\n").slice(0, -1).map((block) =>
      Object.fromEntries(
        block.trimEnd().split("\n").map((line) => {
          const at = line.indexOf("=");
          return [line.slice(0, at), line.slice(at + 1)];
        }),
      )
    );
  }

  /** Waits until `count` hooks of `role` have ended. */
  async wait(role: string, count: number): Promise<Record<string, string>[]> {
    await poll(() => this.of(role).length >= count, () => `${role}: ${JSON.stringify(this.of(role))}`);
    return this.of(role);
  }
}

/** A relay through a cable, both sides with hooks. */
interface HookedRelay extends AsyncDisposable {
  readonly notes: Notes;
  readonly cable: Cable;
  readonly server: ServerProcess;
  readonly device: Daemon;
  readonly client: Stream;
  /** Starts the device once more. */
  restart(): void;
}

async function hookedRelay(more: readonly string[] = []): Promise<HookedRelay> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(new TempFolder());
  const notes = new Notes(folder);
  const env = { SALLYPORT_PROXY: "none", SECRET: "of the daemon", HOME: "/", LANG: "C.UTF-8" };
  const config = (role: string) => ["--config", folder.write(`${role}.toml`, notes.hooks(role)), ...more];
  const echo = stack.use(echoService());
  const json = more.includes("json");
  const server = stack.use(
    json
      ? await startJsonServer(folder.path, config("server"))
      : await startV2Server(folder.path, config("server"), { env }),
  );
  const cable = stack.use(new Cable(server.port));
  const services = [`echo=127.0.0.1:${echo.port}`];
  const enrolment = await enrol(folder.path, `127.0.0.1:${cable.port}`, ["echo"]);
  await succeed("device", [...joinArgs(folder.path, enrolment, services), "--no-run"]);
  const start = () => startDevice(["--state", folder.path, ...config("device")], { env });
  const device = stack.use(start());
  const host = json
    ? (await device.child.line(/^\{"type":"service".*"hostAddress":"([^"]+)"/))[1]!
    : await serviceOpen(device, "echo");
  const client = stack.use(await Stream.connect(portOf(host)));
  await client.write("before");
  assert.equal(await client.readText(6), "before");
  const all = stack.move();
  return {
    ...{ notes, cable, server, device, client },
    restart: () => void all.use(start()),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function startJsonServer(state: string, more: readonly string[]): Promise<ServerProcess> {
  const args = ["--listen", "127.0.0.1:0", "--state", state, ...more];
  const server = new ServerProcess(Child.start("server", sallyport("server", args)));
  const [, address] = await server.child.line(/^\{"type":"listening","address":"([^"]+)"/);
  server.addresses.push(address!);
  return server;
}

/** What a hook is told, without what the shell adds. */
function told(environment: Record<string, string>): string[] {
  const ours = Object.keys(environment).filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name));
  return ours.sort();
}

const COMMON = ["ARGUMENTS", "HOME", "LANG", "PATH", "SALLYPORT_DEVICE", "SALLYPORT_EVENT", "SALLYPORT_TIME"];

processTest(
  "through a real cut and resume both sides run their hooks, with the facts and nothing else",
  [],
  async () => {
    await using relay = await hookedRelay();
    const { notes, cable, client, server, device } = relay;
    await Promise.all([notes.wait("server", 1), notes.wait("device", 1)]);
    cable.drop();
    await client.write("after");
    assert.equal(await client.readText(5), "after");
    const [atServer, atDevice] = await Promise.all([notes.wait("server", 3), notes.wait("device", 3)]);
    const events = ["online", "interrupted", "resumed"];
    for (const [role, seen] of [["server", atServer], ["device", atDevice]] as const) {
      assert.deepEqual(seen.map((each) => each["SALLYPORT_EVENT"]), events, role);
      for (const [at, each] of seen.entries()) {
        assert.equal(each["SALLYPORT_DEVICE"], "gw1");
        assert.match(each["ARGUMENTS"]!, new RegExp(`\\.notes \\$\\(${events[at]}\\)$`), "no shell has read them");
        assert.deepEqual([each["HOME"], each["LANG"]], ["/", "C.UTF-8"]);
        assert.ok(Math.abs(Date.parse(each["SALLYPORT_TIME"]!) - Date.now()) < 60_000);
        if (each["SALLYPORT_INTERRUPTED_MS"]) assert.ok(Number(each["SALLYPORT_INTERRUPTED_MS"]) < 15_000);
        if (each["SALLYPORT_REASON"]) assert.match(each["SALLYPORT_REASON"], /^(peer-closed|connection-lost)$/);
      }
    }
    const link = ["SALLYPORT_LISTENER", "SALLYPORT_REMOTE"];
    const resumed = ["SALLYPORT_INTERRUPTED_MS", "SALLYPORT_REPLAYED_BYTES"];
    const without = (each: Record<string, string>) => told(each).filter((name) => name !== "SALLYPORT_DETAIL");
    assert.deepEqual(atServer.map(without), [
      [...COMMON, ...link].sort(),
      [...COMMON, ...link, "SALLYPORT_REASON", "SALLYPORT_EXPIRATION_MS", "SALLYPORT_CLIENTS"].sort(),
      [...COMMON, ...link, ...resumed].sort(),
    ]);
    assert.equal(atServer[1]!["SALLYPORT_EXPIRATION_MS"], "15000");
    assert.deepEqual(atDevice.map(without), [
      [...COMMON, "SALLYPORT_SERVER", "SALLYPORT_LOCAL"].sort(),
      [...COMMON, "SALLYPORT_SERVER", "SALLYPORT_REASON", "SALLYPORT_RETRY_IN_MS"].sort(),
      [...COMMON, "SALLYPORT_SERVER", "SALLYPORT_LOCAL", ...resumed].sort(),
    ]);
    const address = `127.0.0.1:${cable.port}`;
    assert.match(
      device.child.stdout.filter((line) => !line.startsWith("service ")).join("|"),
      new RegExp(
        `^online ${address} as gw1\\|interrupted ${address} [a-z-]+\\|resumed ${address} interrupted=\\d+ replayed=\\d+$`,
      ),
    );
    assert.match(
      server.child.stdout.slice(2).join("|"),
      /^link-interrupted gw1 [a-z-]+\|link-resumed gw1 interrupted=\d+ replayed=\d+$/,
    );
  },
);

processTest("a device that restarted while it was waited for is told as lost, then as online", [], async () => {
  await using relay = await hookedRelay();
  const { notes, device, server } = relay;
  await device.child.kill();
  await server.child.line(/^link-interrupted gw1 /);
  relay.restart();
  const seen = await notes.wait("server", 4);
  assert.deepEqual(seen.map((each) => each["SALLYPORT_EVENT"]), ["online", "interrupted", "lost", "online"]);
  assert.equal(seen[2]!["SALLYPORT_REASON"], "replaced");
  assert.ok(Number(seen[2]!["SALLYPORT_DURATION_MS"]) >= 0);
  await server.child.line(/^link-down gw1 replaced$/);
});

processTest("with --log-format json the lines are the events, with their type and facts", [], async () => {
  await using relay = await hookedRelay(["--log-format", "json"]);
  const { cable, client, server, device } = relay;
  cable.drop();
  await client.write("after");
  assert.equal(await client.readText(5), "after");
  await Promise.all([server.child.line(/"link-resumed"/), device.child.line(/"resumed"/)]);
  const shapes = (daemon: Daemon) => {
    const events = daemon.child.stdout.map((line) => JSON.parse(line) as Record<string, unknown>);
    return events.filter(({ type }) => /interrupted|resumed/.test(String(type))).map((event) =>
      Object.entries(event).filter(([name]) => name !== "detail").map(([name, value]) =>
        name === "type" ? value : `${name}: ${typeof value}`
      ).sort()
    );
  };
  assert.deepEqual(shapes(server), [
    [
      "clients: number",
      "device: string",
      "expiration: number",
      "link-interrupted",
      "listen: string",
      "reason: string",
      "remote: string",
    ],
    ["device: string", "interrupted: number", "link-resumed", "listen: string", "remote: string", "replayed: number"],
  ]);
  assert.deepEqual(shapes(device), [
    ["interrupted", "reason: string", "retryIn: number", "server: string"],
    ["interrupted: number", "local: string", "replayed: number", "resumed", "server: string"],
  ]);
});

processTest("the last hook runs before the process ends", [], async () => {
  await using relay = await hookedRelay();
  relay.device.child.signal("SIGTERM");
  assert.equal(await relay.device.child.end(), 0);
  assert.deepEqual(relay.notes.of("device").map((each) => each["SALLYPORT_EVENT"]), ["online", "lost"]);
  assert.equal(relay.notes.of("device")[1]!["SALLYPORT_REASON"], "shutting-down");
});

/** Starts a process of its own, writes its id down, and waits for ever. */
const LINGER = '#!/bin/sh\nsleep 1000 &\necho $! > "$1.new"\nmv "$1.new" "$1"\nwait\n';

async function pidIn(path: string): Promise<number> {
  let pid = 0;
  await poll(() => {
    try {
      pid = Number(Deno.readTextFileSync(path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return pid > 0;
  }, () => `nothing in ${path}`);
  return pid;
}

/** Whether a process runs; one that has ended and that nobody has waited for does not. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

processTest("a hook is ended together with what it has started", ["/proc"], async () => {
  using folder = new TempFolder();
  const script = folder.write("linger.sh", LINGER, 0o700);
  const hook = spawnHook([script, `${folder.path}/pid`], { PATH: Deno.env.get("PATH")! });
  const pid = await pidIn(`${folder.path}/pid`);
  assert.ok(runs(pid));
  hook.kill("SIGTERM");
  assert.equal((await within(hook.ended, "the end of the hook")).signal, "SIGTERM");
  await poll(() => !runs(pid), () => `${pid} runs`);
  hook.kill("SIGKILL"); // of what has ended: nothing happens
});

processTest("a second SIGTERM leaves no hook behind", ["/proc"], async () => {
  using folder = new TempFolder();
  const script = folder.write("linger.sh", LINGER, 0o700);
  const file = folder.write("server.toml", `on-online = ["${script}", "${folder.path}/pid"]\n`);
  await using server = await startV2Server(`${folder.path}/state`, ["--config", file]);
  await using echo = echoService();
  const enrolment = await enrol(`${folder.path}/state`, server.address, ["echo"]);
  const services = [`echo=127.0.0.1:${echo.port}`];
  await using _device = startDevice(joinArgs(`${folder.path}/state`, enrolment, services));
  const pid = await pidIn(`${folder.path}/pid`);
  server.child.signal("SIGTERM");
  await server.logged(/shutting down/);
  assert.ok(runs(pid));
  server.child.signal("SIGTERM");
  assert.equal(await server.child.end(), 130);
  await poll(() => !runs(pid), () => `${pid} runs`);
});

processTest("a hook whose program is not there is one line of warning, and the relay goes on", [], async () => {
  using folder = new TempFolder();
  const file = folder.write("server.toml", 'on-online = ["/no/such/program"]\n');
  await using server = await startV2Server(folder.path, ["--config", file]);
  await using echo = echoService();
  const enrolment = await enrol(folder.path, server.address, ["echo"]);
  const services = [`echo=127.0.0.1:${echo.port}`];
  await using device = startDevice(joinArgs(folder.path, enrolment, services));
  const line = await server.logged(/^hook on-online for gw1: cannot run \/no\/such\/program: .*No such file/);
  assert.equal(line.level, "warn");
  await serviceOpen(device, "echo");
});
