/**
 * Each option of a device is another while the device runs and a client is there: it is in force at once, over a new link that
 * takes the place of the one that is up, or said to wait for the next start; the client stays, and what cannot be changes
 * nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { adminClient } from "../../app/admin/client.ts";
import type { Reloaded } from "../../app/reload/report.ts";
import type { DEVICE_OPTIONS } from "../../device/cli/config.ts";
import { DEVICE_RELOAD } from "../../device/cli/reload_table.ts";
import { isTlsNative } from "../rig/engine.ts";
import { succeed } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { enrol, joinArgs, startV2Server } from "../rig/processes/relay.ts";
import { freePort, portOf, refusesClients } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

/** One option that is another. */
interface Case {
  /** Lines of the file. */
  readonly lines: readonly string[];
  /** What is in force before. */
  readonly before?: readonly string[];
  /** What is said of it, `restart …` for what waits. */
  readonly said: readonly string[];
  /** How often its session moves to another link: for it, and when it is taken back. */
  readonly moves?: readonly [number, number];
  /** Shows that it holds. */
  readonly proof?: () => Promise<void>;
}

/** What is always there: an empty file is taken for one that is being written. */
const BASE = ["# a device"];

processTest("each option of a device is in force at once, or waits for the next start", [], async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(new TempFolder());
  const echo = stack.use(echoService());
  const [metrics, admin] = [freePort(), freePort()];
  const server = stack.use(await startV2Server(folder.path));
  const text = await enrol(folder.path, server.address, ["echo", "more"]);
  const service = `echo=127.0.0.1:${echo.port}`;
  await succeed("device", [...joinArgs(folder.path, text, [service]), "--no-run"]);
  const token = (name: string, character: string) => {
    const path = folder.write(name, character.repeat(32));
    Deno.chmodSync(path, 0o600);
    return path;
  };
  const [one, two] = [token("one", "1"), token("two", "2")];
  const file = folder.write("device.toml", BASE.join("\n"));
  const write = (lines: readonly string[]) => Deno.writeTextFileSync(file, lines.join("\n"));
  const device = stack.use(startDevice(["--config", file, "--state", folder.path], { env: { SALLYPORT_ENGINE: "" } }));
  const [, host = ""] = await device.child.line(/^service echo (\S+)/);
  const client = stack.use(await Stream.connect(portOf(host)));
  const talk = async () => {
    await client.write("x");
    await client.read(1);
  };
  const api = stack.use(adminClient({ socket: `${folder.path}/device/admin.sock` }));
  const reload = async () => {
    const { changed, restart } = await api.post<Reloaded>("/v1/device/reload");
    return [...changed, ...restart.map((line) => `restart ${line}`)];
  };
  const status = async (character: string) => {
    const headers = { authorization: `Bearer ${character.repeat(32)}` };
    const answer = await fetch(`http://127.0.0.1:${admin}/v1/device`, { headers });
    await answer.body?.cancel();
    return answer.status;
  };
  const later = (name: string, ...lines: string[]): Case => ({
    lines,
    said: [`restart ${name} cannot change without a restart`],
  });
  const toCome = (change: string, line: string): Case => ({
    lines: [line],
    said: [`${change}, for links and clients to come`],
  });
  const overNewLink = (name: string, ...lines: string[]): Case => ({
    lines,
    said: [`${name}, over a new link, which is dialled now`],
    moves: [1, 1],
  });
  /** The dial fails, and the link that is up goes on. */
  const inVain = (name: string, ...lines: string[]): Case => ({
    ...overNewLink(name, ...lines),
    moves: [0, 1],
    proof: async () => {
      await device.logged(/cannot move to another link: .*; the old one goes on/);
    },
  });
  const moves = () => device.child.stdout.filter((line) => /^resumed .* moved$/.test(line)).length;
  let moved = 0;
  const settled = (more = 0) =>
    poll(() => moves() === moved + more, () => `${moves()} moves`).then(() => moved += more);
  const withAdmin = (path: string) => [`admin = "127.0.0.1:${admin}"`, `admin-token-file = "${path}"`];

  const cases: Record<Exclude<keyof typeof DEVICE_OPTIONS, "ca" | "state">, Case> = {
    server: overNewLink("server", `server = "localhost:${portOf(server.address)}"`),
    profile: later("profile", 'profile = "v1"', 'server = "127.0.0.1:1"', 'service = ["127.0.0.1:22"]'),
    service: {
      lines: [`service = ["${service}", "more=127.0.0.1:${echo.port}"]`],
      said: [`services: more=127.0.0.1:${echo.port} is new`],
      proof: async () => void await device.child.line(/^service more /),
    },
    allow: { lines: ['allow = ["127.0.0.1:*"]'], said: ["allow"], moves: [1, 1] },
    "server-key": {
      lines: ['server-key = "ed25519:48zjAWukORAAVe-hLFUprfiT0zIy9Du6_Db-rrl2caM"'],
      said: ["server-key, from the next link on: the clients of this one could not go on over it"],
      moves: [0, 1],
    },
    pki: inVain("pki", "pki = true"),
    plain: inVain("plain", "plain = true"),
    "require-binding": isTlsNative ? overNewLink("require-binding", "require-binding = true") : { lines: [], said: [] }, // is refused
    mode: { lines: ['mode = "run"'], said: ["mode"] },
    "connect-timeout": toCome("connect-timeout 10s -> 3s", 'connect-timeout = "3s"'),
    "tcp-keep-alive": toCome("tcp-keep-alive 2m -> 90s", 'tcp-keep-alive = "90s"'),
    "stall-timeout": toCome("stall-timeout 10s -> 9s", 'stall-timeout = "9s"'),
    "link-write-timeout": toCome("link-write-timeout 1m -> 50s", 'link-write-timeout = "50s"'),
    metrics: {
      lines: [`metrics = "127.0.0.1:${metrics}"`],
      said: [`metrics none -> 127.0.0.1:${metrics}`],
      proof: async () =>
        assert.match(await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text(), /^sallyport_/m),
    },
    proxy: overNewLink("proxy", 'proxy = "none"'),
    sni: overNewLink("sni", 'sni = "relay.example"'),
    via: overNewLink("via", 'via = ["127.0.0.1"]'),
    expiration: toCome("expiration 15s -> 30s", 'expiration = "30s"'),
    admin: {
      lines: withAdmin(one),
      said: [`admin unix -> 127.0.0.1:${admin}`, `admin-token-file none -> ${one}`],
      proof: async () => assert.deepEqual([await status("1"), await status("2")], [200, 401]),
    },
    "admin-token-file": {
      before: withAdmin(one),
      lines: withAdmin(two),
      said: [`admin-token-file ${one} -> ${two}`],
      proof: async () => assert.deepEqual([await status("1"), await status("2")], [401, 200]),
    },
    "keep-alive": { lines: ['keep-alive = "fast"'], said: ["keep-alive adaptive -> fast"] },
    "idle-timeout": { lines: ['idle-timeout = "5s"'], said: ["keep-alive adaptive -> 5s,1s,2"] },
    "probe-interval": { lines: ['probe-interval = "5s"'], said: ["keep-alive adaptive -> 1s,5s,2"] },
    "probe-count": { lines: ["probe-count = 5"], said: ["keep-alive adaptive -> 1s,1s,5"] },
    engine: later("engine", 'engine = "portable"'),
    "log-format": later("log-format", 'log-format = "json"'),
    "log-level": { lines: ['log-level = "warn"'], said: ["log-level info -> warn"] },
  };

  for (const [name, { before, lines, said, moves = [0, 0], proof }] of Object.entries(cases)) {
    if (before) {
      write([...BASE, ...before]);
      await reload();
    }
    write([...BASE, ...lines]);
    assert.deepEqual(await reload(), said, name);
    const waits = said[0]?.startsWith("restart") ?? false;
    assert.equal(waits, DEVICE_RELOAD[name as keyof typeof DEVICE_RELOAD] === "at the next start", name);
    await proof?.();
    await settled(moves[0]);
    await talk();
    write(BASE);
    await reload();
    await settled(moves[1]);
  }

  // All or nothing: the last of these cannot be.
  write([...BASE, ...withAdmin(one), `metrics = "127.0.0.1:${portOf(server.address)}"`]);
  await assert.rejects(reload(), new RegExp(`127\\.0\\.0\\.1:${portOf(server.address)}`));
  await refusesClients(admin);
  await talk();
  write(BASE);
  assert.deepEqual(await reload(), []);
});
