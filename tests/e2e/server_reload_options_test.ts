/**
 * Each option of a server is another while the server runs, a device is linked and a client is there: it is in force at
 * once, or said to wait for the next start; nobody is cut, and what cannot be changes nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { adminClient } from "../../app/admin/client.ts";
import type { Reloaded } from "../../app/reload/report.ts";
import type { SERVER_OPTIONS } from "../../server/cli/config.ts";
import { SERVER_RELOAD } from "../../server/cli/reload/table.ts";
import { createIdentity, formatPublicKey } from "../../mod.ts";
import { ALPN } from "../../net/tls/listening.ts";
import { makeAuthority } from "../rig/processes/certificates.ts";
import { startDevice, startServer, v1DeviceArgs } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { enrol, joinArgs, serviceOpen } from "../rig/processes/relay.ts";
import { freePort, portOf, refusesClients } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll, within } from "../rig/wait.ts";

/** One option that is another. */
interface Case {
  /** Lines at the top of the file, in the section of v2, and in that of v1. */
  readonly top?: readonly string[];
  readonly v2?: readonly string[];
  readonly v1?: readonly string[];
  /** What is in force before, at the top. */
  readonly before?: readonly string[];
  /** What `reload` says. */
  readonly said: readonly string[];
  /** Shows that it holds. */
  readonly proof?: () => Promise<void>;
}

processTest("each option is in force at once, or waits for the next start, as the table has it", ["openssl"], run);

async function run(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(new TempFolder());
  const echo = stack.use(echoService());
  const port = () => freePort();
  const [v2, v1, forward, other, metrics, admin] = [port(), port(), port(), port(), port(), port()];
  const authority = await makeAuthority(folder.path);
  await authority.issue("relay", ["DNS:localhost"]);
  const secret = (name: string, text: string) => {
    const path = folder.write(name, text.repeat(32));
    Deno.chmodSync(path, 0o600);
    return path;
  };
  const [one, two] = [secret("one", "1"), secret("two", "2")];
  const heard: { readonly body: string; readonly signature: string | null }[] = [];
  const hook = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    heard.push({ body: await request.text(), signature: request.headers.get("sallyport-signature") });
    return new Response();
  });
  stack.defer(() => hook.shutdown());
  const url = `http://127.0.0.1:${hook.addr.port}/`;
  const forwards = (...ports: number[]) =>
    `forward = [${ports.map((at) => `"127.0.0.1:${at}=127.0.0.1:${echo.port}"`).join(", ")}]`;

  const file = folder.write("server.toml", "");
  const write = ({ top = [], v2: more = [], v1: instead = [forwards(forward)] }: Partial<Case>) =>
    Deno.writeTextFileSync(
      file,
      [
        ...top,
        ...["[[listen]]", `address = "127.0.0.1:${v2}"`, ...more],
        ...["[[listen]]", 'profile = "v1"', `address = "127.0.0.1:${v1}"`, ...instead],
      ].join("\n"),
    );
  write({});
  const server = stack.use(
    await startServer(["--config", file, "--state", folder.path], { listeners: 2, env: { SALLYPORT_ENGINE: "" } }),
  );
  const text = await enrol(folder.path, server.address, ["echo"]);
  const device = stack.use(startDevice(joinArgs(folder.path, text, [`echo=127.0.0.1:${echo.port}`])));
  const client = stack.use(await Stream.connect(portOf(await serviceOpen(device, "echo"))));
  const old = stack.use(startDevice(v1DeviceArgs(`127.0.0.1:${v1}`, [`127.0.0.1:${echo.port}`])));
  await old.child.line(/^online /);
  const { publicKey } = await createIdentity(); // of a device that does not come
  const devices = `${folder.path}/server/devices.toml`;
  Deno.writeTextFileSync(devices, `\n[never]\nkey = "${formatPublicKey(publicKey)}"\nservices = {}\n`, {
    append: true,
  });
  const oldClient = stack.use(await connected(forward));
  const talk = async (stream: Stream) => {
    await stream.write("x");
    await stream.read(1);
  };
  const api = stack.use(adminClient({ socket: `${folder.path}/server/admin.sock` }));
  const reload = async () => {
    const { changed, restart } = await api.post<Reloaded>("/v1/server/reload");
    return [...changed.map((line) => `changed ${line}`), ...restart.map((line) => `restart ${line}`)];
  };
  const status = async (at: number, token: string) => {
    const headers = { authorization: `Bearer ${token.repeat(32)}` };
    const answer = await fetch(`http://127.0.0.1:${at}/v1/devices`, { headers });
    await answer.body?.cancel();
    return answer.status;
  };
  const series = async () => {
    const answer = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    return /^sallyport_device_series (\d)$/m.exec(answer)?.[1];
  };
  const later = (name: string): Case["said"] => [`restart ${name} cannot change without a restart`];
  const toCome = (change: string): Case["said"] => [`changed ${change}, for links and clients to come`];
  const tls = [`tls-cert = "${folder.path}/relay.pem"`, `tls-key = "${folder.path}/relay.key"`];
  const withMetrics = `metrics = "127.0.0.1:${metrics}"`;
  const withAdmin = [`admin = "127.0.0.1:${admin}"`, `admin-token-file = "${one}"`];
  const hooked = `webhook = "${url}"`;

  const cases: Record<keyof typeof SERVER_OPTIONS, Case> = {
    listen: {
      v1: [forwards(forward), "[[listen]]", `address = "127.0.0.1:${other}"`],
      said: [`changed listens at 127.0.0.1:${other}, too`],
      proof: async () => (await Stream.connect(other))[Symbol.dispose](),
    },
    profile: {
      v1: [forwards(forward), "[[listen]]", 'profile = "v2"', `address = "127.0.0.1:${other}"`],
      said: [`changed listens at 127.0.0.1:${other}, too`],
    },
    forward: {
      v1: [forwards(forward, other)],
      said: [`changed forwards of 127.0.0.1:${v1}`],
      async proof() {
        using more = await connected(other);
        await talk(more);
      },
    },
    "tls-cert": {
      v2: tls,
      said: [`changed TLS at 127.0.0.1:${v2}`],
      async proof() {
        const caCerts = [await Deno.readTextFile(authority.file)];
        const conn = await Deno.connectTls({ hostname: "localhost", port: v2, caCerts, alpnProtocols: [ALPN] });
        await conn.handshake();
        conn.close();
      },
    },
    "tls-key": { v2: tls, said: [`changed TLS at 127.0.0.1:${v2}`] },
    "proxy-from": {
      v2: ['proxy-from = ["10.0.0.0/8"]'],
      v1: [forwards(forward), 'proxy-from = ["10.0.0.0/8"]'],
      said: [`changed proxy-from at 127.0.0.1:${v2}`, `changed proxy-from at 127.0.0.1:${v1}`],
    },
    plain: { v2: ["plain = true"], said: [`changed plain at 127.0.0.1:${v2}`] },
    devices: { top: [`devices = "${folder.path}/others.toml"`], said: later("devices") },
    state: { top: [`state = "${folder.path}/elsewhere"`], said: [] }, // the command line goes before it
    admin: {
      top: withAdmin,
      said: [`changed admin unix -> 127.0.0.1:${admin}`, `changed admin-token-file none -> ${one}`],
      proof: async () => assert.deepEqual([await status(admin, "1"), await status(admin, "2")], [200, 401]),
    },
    "admin-token-file": {
      before: withAdmin,
      top: [`admin = "127.0.0.1:${admin}"`, `admin-token-file = "${two}"`],
      said: [`changed admin-token-file ${one} -> ${two}`],
      proof: async () => assert.deepEqual([await status(admin, "1"), await status(admin, "2")], [401, 200]),
    },
    metrics: {
      top: [withMetrics],
      said: [`changed metrics none -> 127.0.0.1:${metrics}`],
      proof: async () => assert.equal(await series(), "1"),
    },
    "metrics-per-device": {
      before: [withMetrics],
      top: [withMetrics, 'metrics-per-device = "off"'],
      said: ["changed metrics-per-device on -> off"],
      proof: async () => assert.equal(await series(), "0"),
    },
    audit: {
      top: [`audit = "${folder.path}/audit.log"`],
      said: [`changed audit none -> ${folder.path}/audit.log`],
      proof: () =>
        poll(
          () =>
            exists(`${folder.path}/audit.log`) &&
            /"audit-start"/.test(Deno.readTextFileSync(`${folder.path}/audit.log`)),
          () => "there is no audit",
        ),
    },
    webhook: {
      top: [hooked, 'webhook-grace = "1s"'],
      said: [`changed webhook none -> ${new URL(url).origin}/…`, "changed webhook-grace 5m -> 1s"],
      async proof() {
        await poll(() => heard.length > 0, () => "the webhook heard nothing");
        assert.match(heard[0]!.body, /"event":"device-offline".*"never"/);
        assert.equal(heard[0]!.signature, null);
      },
    },
    "webhook-secret-file": {
      before: [hooked],
      top: [hooked, 'webhook-grace = "1s"', `webhook-secret-file = "${one}"`],
      said: ["changed webhook-grace 5m -> 1s", `changed webhook-secret-file none -> ${one}`],
      async proof() {
        const from = heard.length;
        await poll(() => heard.length > from, () => "the webhook heard nothing");
        assert.notEqual(heard.at(-1)!.signature, null);
      },
    },
    "webhook-events": {
      before: [hooked],
      top: [hooked, 'webhook-events = ["limit-reached"]'],
      said: ["changed webhook-events all -> limit-reached"],
    },
    "webhook-grace": {
      before: [hooked],
      top: [hooked, 'webhook-grace = "9m"'],
      said: ["changed webhook-grace 5m -> 9m"],
    },
    "keep-alive": { top: ['keep-alive = "fast"'], said: ["changed keep-alive adaptive -> fast"] },
    "idle-timeout": { top: ['idle-timeout = "5s"'], said: ["changed keep-alive adaptive -> 5s,1s,2"] },
    "probe-interval": { top: ['probe-interval = "5s"'], said: ["changed keep-alive adaptive -> 1s,5s,2"] },
    "probe-count": { top: ["probe-count = 5"], said: ["changed keep-alive adaptive -> 1s,1s,5"] },
    expiration: { top: ['expiration = "30s"'], said: toCome("expiration 15s -> 30s") },
    "warn-bytes-a-day": { top: ['warn-bytes-a-day = "1MB"'], said: ["changed warn-bytes-a-day none -> 1MB"] },
    "max-devices": { top: ["max-devices = 9"], said: ["changed max-devices none -> 9"] },
    "max-links": { top: ["max-links = 9"], said: ["changed max-links none -> 9"] },
    "max-sockets": {
      top: ["max-sockets = 3"], // two links and a client are more already
      said: ["changed max-sockets none -> 3"],
      async proof() {
        using more = await Stream.connect(forward);
        await assert.rejects(talk(more));
      },
    },
    "max-memory": { top: ['max-memory = "900MB"'], said: ["changed max-memory none -> 900MB"] },
    "handshake-rate": { top: ['handshake-rate = "9/s"'], said: ["changed handshake-rate none -> 9/s"] },
    "tcp-keep-alive": { top: ['tcp-keep-alive = "90s"'], said: toCome("tcp-keep-alive 2m -> 90s") },
    "stall-timeout": { top: ['stall-timeout = "9s"'], said: toCome("stall-timeout 10s -> 9s") },
    "half-close-timeout": { top: ['half-close-timeout = "9s"'], said: toCome("half-close-timeout 5s -> 9s") },
    "link-write-timeout": { top: ['link-write-timeout = "50s"'], said: toCome("link-write-timeout 1m -> 50s") },
    engine: { top: ['engine = "portable"'], said: later("engine") },
    "log-format": { top: ['log-format = "json"'], said: later("log-format") },
    "log-level": { top: ['log-level = "warn"'], said: ["changed log-level info -> warn"] },
  };

  for (const [name, { before = [], said, proof, ...lines }] of Object.entries(cases)) {
    if (before.length > 0) {
      write({ top: before });
      await reload();
    }
    write(lines);
    assert.deepEqual(await reload(), said, name);
    const waits = said.some((line) => line.startsWith("restart"));
    if (name !== "state") {
      assert.equal(waits, SERVER_RELOAD[name as keyof typeof SERVER_RELOAD] === "at the next start", name);
    }
    await proof?.();
    await talk(client);
    await talk(oldClient);
    write({});
    await reload();
  }
  await refusesClients(other);
  assert.deepEqual(await reload(), []);

  // All or nothing: the last of these cannot be.
  write({
    top: [
      ...['log-level = "warn"', `audit = "${folder.path}/second.log"`, `metrics = "127.0.0.1:${metrics}"`],
      ...[`admin = "127.0.0.1:${v2}"`, `admin-token-file = "${one}"`],
    ],
    v1: [forwards(forward, other), "[[listen]]", `address = "127.0.0.1:${admin}"`],
  });
  await assert.rejects(reload(), new RegExp(`127\\.0\\.0\\.1:${v2}`));
  for (const at of [other, metrics, admin]) await refusesClients(at);
  assert.equal(exists(`${folder.path}/second.log`), false);
  await talk(client);
  await talk(oldClient);
  write({});
  assert.deepEqual(await reload(), []);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A connection to a host port that is opened in this moment. */
async function connected(port: number): Promise<Stream> {
  let stream: Stream | undefined;
  const connect = async () => {
    stream = await Stream.connect(port).catch(() => undefined);
    return stream !== undefined;
  };
  await within(poll(connect, () => `nothing listens at ${port}`), `a host port at ${port}`);
  return stream!;
}
