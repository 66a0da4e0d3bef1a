/**
 * Secrets are where they belong, and nowhere else: not in a log, an answer, an error, an audit, a page, a history, nor in
 * what other processes of the machine can see. Real daemons at log level debug, and every act.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { adminClient, AdminRefusal } from "../../app/admin/client.ts";
import { HOOK_EVENTS } from "../../app/hooks/hooks.ts";
import { decodeEnrolment } from "../../protocol/enrolment.ts";
import { DASHBOARD } from "../../server/dashboard/files.ts";
import { Child } from "../rig/processes/child.ts";
import { outcome } from "../rig/processes/commands.ts";
import { sallyport, type ServerProcess, startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll, within } from "../rig/wait.ts";

const [TOKEN, HOOK_SECRET, HOOK_PATH] = [
  "marked-token-7f3c9a2e41d05b68",
  "marked-secret-c0ffee5511",
  "/marked-path-9d8e7f",
];

/** What is looked at, and what was found there. */
class Seen {
  readonly texts = new Map<string, string>();

  /** Adds to what was seen at a place. */
  add(where: string, text: string): void {
    this.texts.set(where, (this.texts.get(where) ?? "") + text);
  }

  /** Demands that none of `secrets` is in it, as it is or as others write bytes. */
  demandWithout(secrets: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, secret] of Object.entries(secrets)) {
      const bytes = Buffer.from(secret);
      const forms = (["latin1", "hex", "base64", "base64url"] as const).map((form) => bytes.toString(form));
      for (const written of forms.map((form) => form.replace(/=+$/, ""))) {
        const found = [...this.texts].filter(([, text]) => text.includes(written)).map(([where]) => where);
        assert.deepEqual(found, [], `${name} stands there`);
      }
    }
  }
}

/** Bytes as a text with a character for each. */
function latin(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** Every file below a folder. */
function* filesOf(folder: string): Generator<string> {
  for (const { name, isFile, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesOf(`${folder}/${name}`);
    else if (isFile) yield `${folder}/${name}`;
  }
}

/** The command lines of all processes: what every user of the machine sees. */
function commandLines(): string {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).map(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`);
    } catch {
      return ""; // it has just ended
    }
  }).join("\n");
}

/** Asks for everything, and does everything, rightly and wrongly. */
async function useApi(seen: Seen, role: string, address: string, acts: readonly (readonly [string, unknown])[]) {
  using api = adminClient({ address, token: TOKEN });
  const asked = async (path: string, act: () => Promise<unknown>) => {
    const answer = await act().catch((error: unknown) => {
      if (!(error instanceof AdminRefusal)) throw error;
      return error.message;
    });
    const { string: _made, ...others } = { ...answer as { string?: string } }; // who makes a string is told it, once
    seen.add(`${role} ${path}`, typeof answer === "string" ? answer : JSON.stringify(others));
  };
  for (const [path, body] of acts) await asked(path, () => api.post(path, body));
  const { paths } = await api.get<{ paths: Record<string, Record<string, unknown>> }>("/v1/openapi.json");
  for (const [path, methods] of Object.entries(paths)) {
    if (!("get" in methods) || path.endsWith("/stream") || path === "/metrics") continue;
    await asked(path, () => api.get(path.replace("{name}", "gw1").replace("{id}", "1")));
  }
  const plain = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://${address}${path}`, init);
    seen.add(`${role} ${path}`, JSON.stringify([...response.headers]) + await response.text());
    return response;
  };
  await plain("/metrics", { headers: { authorization: `Bearer ${TOKEN}` } });
  await plain("/v1/health");
  for (const authorization of [`Bearer ${TOKEN}x`, `Basic ${TOKEN}`, TOKEN]) {
    assert.equal((await plain("/v1/events", { headers: { authorization } })).status, 401);
  }
  await plain(`/v1/events?type=${TOKEN}`, { headers: { authorization: `Bearer ${TOKEN}` } }).then(() => {
    seen.texts.delete(`${role} /v1/events?type=${TOKEN}`); // whoever writes it into a question reads it again
  });
}

/** Logs in with a browser's means. @returns the session's own secrets. */
async function useDashboard(seen: Seen, address: string): Promise<Record<string, string>> {
  const url = `http://${address}`;
  const headers = { "content-type": "application/json" };
  const wrong = await fetch(`${url}/login`, { method: "POST", headers, body: JSON.stringify({ token: `${TOKEN}x` }) });
  assert.equal(wrong.status, 401);
  seen.add("a wrong login", await wrong.text());
  const right = await fetch(`${url}/login`, { method: "POST", headers, body: JSON.stringify({ token: TOKEN }) });
  const { proof } = await right.json() as { proof: string };
  const [, cookie] = /=([^;]+)/.exec(right.headers.get("set-cookie")!)!;
  seen.add("a login", JSON.stringify([...right.headers].filter(([name]) => name !== "set-cookie")));
  for (const { path } of DASHBOARD) {
    seen.add(`dashboard ${path}`, await (await fetch(url + path, { headers: { "x-sallyport-proof": proof } })).text());
  }
  return { cookie: cookie!, proof };
}

/** The commands that ask the server, by the address and with the file of the token, and what they print. */
async function useCommands(seen: Seen, address: string, file: string): Promise<void> {
  const place = ["--admin", address, "--admin-token-file", file, "--state", "/nowhere"];
  const commands = [["status"], ["status", "--json"], ["clients", "--json"], ["events", "--json"], ["drop", "gw1"]];
  for (const command of commands) {
    const { stdout, stderr } = await outcome("server", [...command, ...place]);
    seen.add(`server ${command.join(" ")}`, [...stdout, stderr].join("\n"));
  }
}

const HOOK = '#!/bin/sh\n{ tr "\\0" "\\n" < /proc/self/environ; tr "\\0" "\\n" < /proc/self/cmdline; } >> "$1"\n';

/** A configuration with hooks of all events. */
function hooks(script: string, notes: string): string {
  return HOOK_EVENTS.map((event) => `on-${event} = ${JSON.stringify([script, notes])}\n`).join("");
}

processTest("a token, a webhook's secret and an enrolment string are seen by nobody", ["/proc", "curl"], async () => {
  using folder = new TempFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  const seen = new Seen();
  const [tokenFile, secretFile] = [
    folder.write("token", `${TOKEN}\n`, 0o600),
    folder.write("secret", HOOK_SECRET, 0o600),
  ];
  const script = folder.write("hook.sh", HOOK, 0o700);
  let refusals = 0;
  const receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    seen.add("webhook", JSON.stringify([...request.headers]) + await request.text());
    return new Response(null, { status: refusals++ === 0 ? 500 : 200 }); // a failure is logged, and tried again
  });
  const admin = `admin = "127.0.0.1:0"\nadmin-token-file = "${tokenFile}"\nlog-level = "debug"\n`;
  const config = folder.write(
    "server.toml",
    `${admin}audit = "${at("audit.log")}"\nwebhook = "http://127.0.0.1:${receiver.addr.port}${HOOK_PATH}"\n` +
      `webhook-secret-file = "${secretFile}"\nwebhook-grace = "100ms"\nexpiration = "0s"\n` +
      hooks(script, at("server.notes")),
    0o600,
  );
  try {
    await using server: ServerProcess = await startV2Server(at("s"), ["--config", config]);
    const [, address] = await server.child.line(/^admin (\S+)$/);
    using api = adminClient({ address: address!, token: TOKEN });
    const made = await api.post<{ string: string }>("/v1/enrolments", {
      device: "gw1",
      services: ["dump=127.0.0.1:0"],
      publicAddresses: [server.address],
    });
    const waiting = await api.post<{ string: string }>("/v1/enrolments", {
      device: "gw2",
      services: ["ssh=127.0.0.1:0"],
      publicAddresses: [server.address],
    });
    const dump = ["/bin/sh", "-c", 'tr "\\0" "\\n" < /proc/self/environ; sleep 0.1'];
    const join = ["join", "--no-run", "--service", `dump=exec:${JSON.stringify(dump)}`, "--state", at("d")];
    const { code, stderr } = await outcome("device", join, { env: { SALLYPORT_JOIN: made.string } });
    assert.equal(code, 0, stderr);
    seen.add("device join", stderr);
    const deviceConfig = folder.write("device.toml", admin + hooks(script, at("device.notes")), 0o600);
    await using device = startDevice(["--config", deviceConfig, "--state", at("d")], {
      env: { SALLYPORT_JOIN: made.string }, // as a unit may leave it there
    });
    const host = await serviceOpen(device, "dump");
    const [, ofDevice] = await device.child.line(/^admin (\S+)$/);
    const client = await Stream.connect(portOf(host));
    const environment = latin(await within(client.readToEnd(), "the end of the program"));
    client.close();
    assert.match(environment, /^PATH=/m);
    seen.add("the environment of a program", environment);

    const gw1 = (act: string) => `/v1/devices/gw1/${act}`;
    const keepAlive = { endpoint: "both", idleTimeout: 5_000, probeInterval: 1_000, probeCount: 2 };
    await useApi(seen, "server", address!, [
      [gw1("tag"), { add: ["lte"] }],
      [gw1("expire"), { expires: "90d" }],
      [gw1("attend"), { ms: 1_000 }],
      [gw1("keep-alive"), keepAlive],
      [gw1("keep-alive-way"), { endpoint: "both", way: "fast" }],
      [gw1("drain"), {}],
      [gw1("undrain"), {}],
      [gw1("open"), { service: "dump", for: 1_000 }],
      [gw1("connect"), { address: "127.0.0.1:1" }],
      [gw1("shut"), { service: "dump" }],
      ["/v1/server/drain", {}],
      ["/v1/server/undrain", {}],
      ["/v1/server/reload", {}],
      ["/v1/enrolments", { device: "gw1" }],
      [gw1("drop"), {}],
      [gw1("nonsense"), { token: "x" }],
    ]);
    const session = await useDashboard(seen, address!);
    await useCommands(seen, address!, tokenFile);
    await useApi(seen, "device", ofDevice!, [
      ["/v1/device/keep-alive", keepAlive],
      ["/v1/device/mode", { mode: "config" }],
      ["/v1/device/mode", { mode: "run" }],
      ["/v1/services", { service: "web=127.0.0.1:80" }],
      ["/v1/services/web/remove", {}],
      ["/v1/device/reconnect", {}],
      ["/v1/device/reload", {}],
    ]);
    await using dashboard = Child.start("dashboard", sallyport("server", ["dashboard", "--state", at("s")]));
    const [, link] = await dashboard.line(/^dashboard (\S+)$/);
    const secret = link!.split("#login=")[1]!;
    seen.add("command lines", commandLines());
    await api.post(gw1("disable"));
    await poll(() => seen.texts.get("webhook")?.includes("gw1") === true, () => "the webhook was told nothing");
    await api.post(gw1("revoke"));
    await poll(() => Deno.readTextFileSync(at("server.notes")) !== "", () => "no hook has run");
    seen.add("command lines", commandLines());
    dashboard.signal("SIGTERM");
    await dashboard.exited;
    device.child.signal("SIGTERM");
    await device.child.exited;
    server.child.signal("SIGTERM");
    assert.equal(await server.child.exited, 0);
    for (const [name, { child }] of Object.entries({ server, device })) {
      assert.ok(child.stderr.some((line) => line.includes('"debug"')), `${name} says nothing of level debug`);
      seen.add(`what the ${name} says`, [...child.stdout, ...child.stderr].join("\n"));
    }
    const own = new Set([tokenFile, secretFile, config]);
    for (const file of filesOf(folder.path)) if (!own.has(file)) seen.add(file, latin(Deno.readFileSync(file)));
    for (
      const name of ["s/server/history.sqlite", "audit.log", "server.notes", "device.notes", "d/device/device.toml"]
    ) {
      assert.ok(seen.texts.has(at(name)), `${name} was looked at`);
    }
    seen.demandWithout({
      ...{ TOKEN, HOOK_SECRET, HOOK_PATH, secret },
      ...{ cookie: session["cookie"]!, proof: session["proof"]! },
      ...{ "a string that was used": made.string.slice(50, 80), "one that waits": waiting.string.slice(50, 80) },
      "the secret of a string that was used": decodeEnrolment(made.string).tokenSecret,
      "the secret of one that waits": decodeEnrolment(waiting.string).tokenSecret,
    });
  } finally {
    await receiver.shutdown();
  }
});
