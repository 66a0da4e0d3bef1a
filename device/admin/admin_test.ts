import assert from "node:assert/strict";
import { type AdminClient, adminClient } from "../../app/admin/client.ts";
import { EventRing } from "../../app/admin/event_ring.ts";
import { mistakeIn } from "../../app/admin/schema.ts";
import { systemClock } from "../../base/clock.ts";
import { echoService } from "../../tests/rig/service.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { portOf } from "../../tests/rig/ports.ts";
import { Stream } from "../../tests/rig/stream.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { local, startV2Relay } from "../../tests/rig/v2/relay.ts";
import { poll, within } from "../../tests/rig/wait.ts";
import type { DeviceEvent } from "../events.ts";
import type { DeviceHandle } from "../handle.ts";
import { deviceApiRoutes } from "./routes.ts";
import { serveDeviceAdmin } from "./serve.ts";
import { Registry } from "../../app/metrics/registry.ts";
import type { DeviceContext } from "./context.ts";
import type { Client, DeviceFacts, Service } from "./schemas.ts";

/** A device's API, and a client that holds every answer to the schema of its route. */
async function served(device: DeviceHandle, folder: string) {
  const events = new EventRing<DeviceEvent>(0);
  device.subscribe((event) => events.add(systemClock.wall(), event));
  const context: DeviceContext = {
    metrics: new Registry(),
    device,
    events,
    engine: "test",
    clock: systemClock,
    logger: new RecordingLogger(),
    started: systemClock.wall(),
    hasOwnServices: () => false,
    reload: () => Promise.resolve({ changed: ["log-level debug"], restart: [] }),
  };
  const api = await serveDeviceAdmin(context, folder, { unix: true, tcp: undefined, isExplicit: true });
  const plain = adminClient({ socket: api.socket! });
  const routes = deviceApiRoutes(context);
  const asked = new Set<string>();
  const held = <T>(method: string, path: string, answer: T): T => {
    const parts = path.split("?")[0]!.split("/");
    const route = routes.find((each) =>
      each.method === method && each.path.split("/").length === parts.length &&
      each.path.split("/").every((part, at) => part.startsWith("{") || part === parts[at])
    );
    assert.ok(route, `${method} ${path}`);
    asked.add(route.id);
    assert.equal(mistakeIn(route.response, answer, route.id), undefined);
    return answer;
  };
  const client: Pick<AdminClient, "get" | "post" | "stream"> = {
    get: async <T>(path: string) => held("GET", path, await plain.get<T>(path)),
    post: async <T>(path: string, body?: unknown) => held("POST", path, await plain.post<T>(path, body)),
    stream: (path, lastId) => plain.stream(path, lastId),
  };
  return {
    client,
    events,
    routes,
    asked,
    async [Symbol.asyncDispose]() {
      plain[Symbol.dispose]();
      await api.close();
    },
  };
}

folderTest("a device is seen and steered by its API, and every answer is as its schema says", async (folder) => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: ["echo=127.0.0.1:0", "more=127.0.0.1:0"],
    serve: { expiration: 15_000 },
  });
  const device = relay.device.handle;
  const port = await relay.hostPort("echo");
  await using api = await served(device, folder);
  const { client } = api;
  const stream = client.stream("/v1/events/stream?type=interrupted,resumed,channel-end");
  const next = async () => (await within(stream.next(), "an event")).value!.data as Record<string, unknown>;
  const first = next();
  const facts = () => client.get<DeviceFacts>("/v1/device");
  const services = async () => (await client.get<{ items: Service[] }>("/v1/services")).items;
  await client.get("/v1/health");
  await client.get("/v1/ready");
  const seen = await facts();
  assert.deepEqual([seen.state, seen.name, seen.profile, seen.mode], ["online", "gw1", "v2", "run"]);
  assert.ok(seen.local && seen.remote && seen.sessionSince);
  const [service] = await services();
  assert.deepEqual([service!.kind, service!.offered, portOf(service!.hostAddress!)], ["tcp", true, port]);

  using conn = await Stream.connect(port);
  await conn.write("hello");
  await conn.read(5);
  const list = async (query = "") => (await client.get<{ items: Client[] }>(`/v1/clients${query}`)).items;
  const [there] = await list();
  assert.deepEqual([there!.service, there!.bytesUp, there!.bytesDown, there!.state], ["echo", 5, 5, "open"]);
  assert.deepEqual(await list("?service=other"), []);

  await client.post("/v1/device/keep-alive-way", { endpoint: "both", way: "fast" });
  await client.post("/v1/device/keep-alive", {
    endpoint: "device",
    idleTimeout: 9_000,
    probeInterval: 3_000,
    probeCount: 4,
  });
  assert.equal((await facts()).keepAlive.idleTimeout, 9_000);
  await client.post("/v1/device/reconnect");
  for (let event = await first; event["type"] !== "resumed";) event = await next();
  await conn.write("again");
  await conn.read(5);

  await client.post("/v1/services", { service: `more=127.0.0.1:${echo.port}` });
  const more = () => services().then((all) => all.find(({ name }) => name === "more")?.hostAddress ?? undefined);
  await poll(async () => await more() !== undefined, () => "the second service is not open");
  using other = await Stream.connect(portOf((await more())!));
  await other.write("x");
  await other.read(1);
  await client.post("/v1/services/more/remove");
  assert.equal(await other.readSome(), null, "its client has gone with it");
  assert.equal((await services()).length, 1);
  await conn.write("still");
  await conn.read(5);

  await client.post(`/v1/clients/${there!.id}/close`);
  assert.equal(await conn.readSome(), null);
  for (let event = await next(); event["reason"] !== "closed-by-admin";) event = await next();
  await stream.return();
  const { items } = await client.get<{ items: { type: string }[] }>("/v1/events?type=channel-end");
  assert.ok(items.length >= 2 && items.every(({ type }) => type === "channel-end"));
  await client.post("/v1/device/mode", { mode: "config" });
  assert.equal((await facts()).mode, "config");
  assert.deepEqual(await client.post("/v1/device/reload"), { changed: ["log-level debug"], restart: [] });
  await assert.rejects(client.post("/v1/clients/99/close"), /there is no client 99/);
  await assert.rejects(client.post("/v1/services/none/remove"), /there is no service "none"/);
  await assert.rejects(client.post("/v1/services", { service: "none" }), /body\.service: "none" has no name/);
  await assert.rejects(
    client.post("/v1/services", { service: "all=127.0.0.1:1000-1255" }),
    /would be 257 services, and 256/,
  );
  assert.equal((await services()).length, 1, "not even a part of a range that has no room");
  const ofJson = api.routes.filter(({ run }) => run.kind === "json");
  const missing = ofJson.map(({ id }) => id).filter((id) => !api.asked.has(id));
  assert.deepEqual(missing, []);
});

folderTest("on the way to config clients may finish, nobody else comes, and the time ends it", async (folder) => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("echo", echo)], grants: ["echo=127.0.0.1:0"] });
  const port = await relay.hostPort("echo");
  await using api = await served(relay.device.handle, folder);
  const facts = () => api.client.get<DeviceFacts>("/v1/device");
  const connect = async () => {
    const stream = await Stream.connect(portOf(relay.device.handle.status.services[0]!.hostAddress!));
    await stream.write("x");
    await stream.read(1);
    return stream;
  };
  using conn = await Stream.connect(port);
  await conn.write("x");
  await conn.read(1);
  await api.client.post("/v1/device/mode", { mode: "config", drain: 600_000 });
  assert.deepEqual([(await facts()).mode, (await facts()).modeChange], ["run", "runToConfig"]);
  await relay.server.events.next("host-closed");
  await conn.write("y");
  await conn.read(1);
  conn[Symbol.dispose]();
  await poll(
    async () => (await facts()).mode === "config",
    () => "the last client has gone, and the mode is as it was",
  );

  await api.client.post("/v1/device/mode", { mode: "run" });
  await poll(async () => (await facts()).modeChange === null, () => "the server has not answered");
  using late = await connect();
  await api.client.post("/v1/device/mode", { mode: "config", drain: 1 });
  assert.equal(await late.readSome(), null, "the time is over");
  assert.equal((await facts()).mode, "config");
  await api.client.post("/v1/device/mode", { mode: "run" });
  await poll(async () => (await facts()).modeChange === null, () => "the server has not answered");
  using stays = await connect();
  await api.client.post("/v1/device/mode", { mode: "config", drain: 600_000 });
  await api.client.post("/v1/device/mode", { mode: "run" });
  await poll(async () => (await facts()).modeChange === null, () => "the offers are not back");
  await stays.write("z");
  await stays.read(1);
});

folderTest("a device without a link says since when, and when it tries again", async (folder) => {
  await using relay = await startV2Relay({ services: [], grants: [] });
  await using api = await served(relay.device.handle, folder);
  const outage = async () => (await api.client.get<DeviceFacts>("/v1/device")).outage;
  assert.equal(await outage(), null);
  relay.server.handle.close();
  const { retryIn } = await relay.device.events.next("lost");
  const lost = await outage();
  assert.deepEqual([lost!.tries, lost!.error], [0, null]);
  assert.ok(Math.abs(Date.parse(lost!.nextTry!) - Date.parse(lost!.since) - retryIn!) < 5);
  const { error } = await relay.device.events.next("dial-failed");
  const failed = await outage();
  assert.equal(failed!.since, lost!.since);
  assert.ok(failed!.tries >= 1 && failed!.error === error);
});

folderTest("a service that the device's engine can never serve is refused by its API", async (folder) => {
  await using relay = await startV2Relay({ services: [], device: { engine: "portable" } });
  await using api = await served(relay.device.handle, folder);
  const put = api.client.post("/v1/services", { service: 'term=exec:["/bin/cat"],pty' });
  await assert.rejects(put, /the service term: a terminal \(pty\) takes the native engine/);
  assert.deepEqual(relay.device.handle.status.services, []);
});
