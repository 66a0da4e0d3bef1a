import assert from "node:assert/strict";
import { joinFromString } from "../../device/join.ts";
import { parseNamedService } from "../../device/v2/named_service.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { engineChoice } from "../../tests/rig/engine.ts";
import { Events } from "../../tests/rig/events.ts";
import { echoService } from "../../tests/rig/service.ts";
import { Stream } from "../../tests/rig/stream.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { poll, within } from "../../tests/rig/wait.ts";
import { portOf } from "../../tests/rig/ports.ts";
import { OPENING_ROUTES, refused, served } from "./_served_test.ts";
import type { Client, Device } from "./schemas.ts";

folderTest(
  "a device is enrolled, seen, steered and revoked by the API, and every answer is as its schema says",
  async (folder) => {
    await using server = await served(folder);
    const { client } = server;
    await using echo = echoService();
    const facts = await client.get<{ listeners: unknown[]; ready: boolean }>("/v1/server");
    assert.deepEqual([facts.ready, facts.listeners.length], [true, 2]);
    await client.get("/v1/health");
    await client.get("/v1/ready");
    const made = await client.post<{ string: string; addresses: string[] }>("/v1/enrolments", {
      device: "gw1",
      services: ["echo=127.0.0.1:0"],
      comment: "roof",
    });
    assert.deepEqual((await client.get<{ items: { device: string }[] }>("/v1/enrolments")).items.map((e) => e.device), [
      "gw1",
    ]);
    const stream = client.stream("/v1/events/stream?device=gw*");
    const next = async () => (await within(stream.next(), "an event")).value!.data as Record<string, unknown>;
    const first = next();
    const device = await joinFromString(made.string, {
      identity: await createIdentity(),
      engine: engineChoice,
      services: [parseNamedService(`echo=127.0.0.1:${echo.port}`)],
    });
    const events = new Events(device);
    try {
      const enrolled = await first;
      const firstId = String(enrolled["id"]);
      assert.deepEqual([enrolled["type"], (await next())["type"]], ["enrolled", "link-up"]);
      assert.equal((await next())["type"], "mode");
      const open = await next();
      assert.deepEqual([open["type"], open["localAddress"]], ["host-open", "echo"]);
      const seen = await client.get<Device>("/v1/devices/gw1");
      assert.deepEqual([seen.link, seen.state, seen.mode, seen.comment], ["online", "active", "run", "roof"]);
      assert.equal(seen.sessionSince, seen.since);
      assert.equal(seen.services[0]!.hostAddress, open["hostAddress"]);
      using conn = await Stream.connect(portOf(open["hostAddress"] as string));
      await conn.write("hello");
      await conn.read(5);
      const { items: [served] } = await client.get<{ items: Client[] }>("/v1/clients?device=gw1");
      assert.deepEqual([served!.bytesUp, served!.bytesDown, served!.state], [5, 5, "open"]);
      assert.deepEqual(server.handle.clients().map(({ service, bytesUp }) => [service, bytesUp]), [["echo", 5]]);
      assert.deepEqual((await client.get<Client>(`/v1/clients/${served!.id}`)).service, "echo");

      await client.post("/v1/devices/gw1/keep-alive", {
        endpoint: "both",
        idleTimeout: 9_000,
        probeInterval: 3_000,
        probeCount: 4,
      });
      await poll(
        async () => (await client.get<Device>("/v1/devices/gw1")).deviceKeepAlive?.idleTimeout === 9_000,
        () => "the device has not said so",
      );
      await client.post("/v1/devices/gw1/keep-alive-way", { endpoint: "both", way: "fast" });
      await poll(
        async () => (await client.get<Device>("/v1/devices/gw1")).deviceKeepAlive?.idleTimeout === 1_000,
        () => "the device has not said so",
      );
      await client.post("/v1/devices/gw1/attend", { ms: 1_000 });
      await client.post("/v1/devices/gw1/drop");
      await events.next("interrupted");
      await events.next("resumed");
      await conn.write("again");
      await conn.read(5);
      assert.deepEqual([(await next())["reason"], (await next())["type"]], ["dropped", "link-resumed"]);

      await client.post(`/v1/clients/${served!.id}/close`);
      assert.equal(await conn.readSome(), null);
      assert.equal((await next())["reason"], "closed-by-admin");
      await refused(client.get(`/v1/clients/${served!.id}`), 404, /there is no client/);

      const drained = async () => (await client.get<Device>("/v1/devices/gw1")).draining;
      await client.post("/v1/devices/gw1/drain", { for: 600_000 });
      assert.ok((await drained())?.until);
      using refusedOne = await Stream.connect(portOf(open["hostAddress"] as string));
      assert.equal(await refusedOne.readSome(), null);
      assert.equal((await next())["reason"], "draining");
      assert.deepEqual(await client.post("/v1/devices/gw1/undrain"), { done: true });
      assert.deepEqual([await drained(), await client.post("/v1/devices/gw1/undrain")], [null, { done: false }]);
      await client.post("/v1/server/drain");
      assert.equal((await client.get<{ draining: { until: unknown } }>("/v1/server")).draining.until, null);
      await client.post("/v1/server/undrain");
      assert.deepEqual(await client.post("/v1/server/reload"), { changed: ["log-level debug"], restart: [] });
      await client.post("/v1/devices/gw1/tag", { add: ["site:berlin", "lte", "lte"] });
      await client.post("/v1/devices/gw1/tag", { add: ["site:berlin"], remove: ["lte"] });
      const tagged = async (query: string) =>
        (await client.get<{ items: Device[] }>(`/v1/devices?match=${query}`)).items.flatMap(({ tags }) => tags);
      assert.deepEqual([await tagged("tag=site:*"), await tagged("tag=lte")], [["site:berlin"], []]);
      await refused(client.post("/v1/devices/gw1/tag", { add: ["no tag"] }), 400, /it is to be: A word, or two/);
      const granted = async () =>
        (await client.get<Device>("/v1/devices/gw1")).services.map((
          { name, granted, closed },
        ) => [name, granted, closed]);
      const web = { service: "web=127.0.0.1:8080", local: "127.0.0.1:80", maxClients: 9, closed: true };
      await client.post("/v1/devices/gw1/services", web);
      assert.deepEqual(await granted(), [["echo", "127.0.0.1:0", false], ["web", "127.0.0.1:8080", true]]);
      await refused(client.post("/v1/devices/gw1/services", web), 409, /has the service "web" already/);
      await refused(client.post("/v1/devices/gw1/services", { service: "db" }), 400, /is not a service/);
      await client.post("/v1/devices/gw1/services/web/move", { listen: "127.0.0.1:8081" });
      assert.deepEqual((await granted())[1], ["web", "127.0.0.1:8081", true], "its rules stay");
      await refused(client.post("/v1/devices/gw1/services/db/remove"), 404, /has no service "db"/);
      await client.post("/v1/devices/gw1/services/web/remove");
      assert.deepEqual(await granted(), [["echo", "127.0.0.1:0", false]]);
      await client.post("/v1/devices/gw1/mode", { mode: "config" });
      await poll(
        async () => (await client.get<Device>("/v1/devices/gw1")).mode === "config",
        () => "not in mode config",
      );
      await client.post("/v1/devices/gw1/rename", { to: "gw2" });
      await refused(client.get("/v1/devices/gw1"), 404, /there is no device "gw1"/);
      await client.post("/v1/devices/gw2/expire", { expires: "2099-01-31" });
      assert.equal((await client.get<Device>("/v1/devices/gw2")).expires, "2099-01-31T00:00:00.000Z");
      await client.post("/v1/devices/gw2/expire", { expires: null });
      assert.deepEqual((await client.get<{ points: unknown[] }>("/v1/history?minutes=1")).points, []);
      assert.deepEqual((await client.get<{ points: unknown[] }>("/v1/history/devices/gw2")).points, []);
      await client.post("/v1/devices/gw2/disable");
      const { items } = await client.get<{ items: Device[] }>("/v1/devices?match=gw*&state=disabled");
      assert.deepEqual(items.map(({ name, link }) => [name, link]), [["gw2", "offline"]]);
      await refused(client.post("/v1/devices/gw2/mode", { mode: "run" }), 409, /no link/);
      await client.post("/v1/devices/gw2/enable");
      await client.post("/v1/devices/gw2/revoke");
      await refused(client.get("/v1/devices/gw2"), 404, /gw2/);
      const { items: [last] } = await client.get<{ items: Record<string, unknown>[] }>("/v1/audit?limit=1");
      assert.deepEqual([last!["act"], last!["status"]], ["POST /v1/devices/gw2/revoke", 200]);
      const audited = async (query: string) =>
        (await client.get<{ items: Record<string, unknown>[] }>(`/v1/audit?limit=500&${query}`)).items;
      assert.deepEqual(
        (await audited("device=gw*&event=enrolled,device-change&since=2026-01-31T12:00:00Z")).map(({ event }) => event)
          .toSorted().slice(-1),
        ["enrolled"],
      );
      assert.deepEqual(await audited("since=2999-12-31T23:59:59.999Z"), []);
      for (const wrong of ["since=2026-01-31", "event=nothing", "device=%20"]) {
        await refused(audited(wrong), 400, /query\./);
      }
      // Whoever comes back goes on behind what it had last.
      const back = client.stream("/v1/events/stream?type=mode,enrolled", firstId);
      assert.equal(((await within(back.next(), "an event")).value!.data as { type: string }).type, "mode");
      await back.return();
      const lost = client.stream("/v1/events/stream", "0-1");
      const missed = (await within(lost.next(), "an event")).value!.data as { type: string; missed: number };
      assert.deepEqual([missed.type, missed.missed], ["missed", -1]);
      await lost.return();
      const all = await client.get<{ items: { type: string }[] }>("/v1/events?limit=500&type=enrolled,mode");
      assert.deepEqual(
        all.items.map(({ type }) => type),
        ["enrolled", "mode", "mode"],
      );
    } finally {
      await stream.return();
      device.close();
      await device.closed;
    }
    const missed = server.routes.filter(({ id, run }) => run.kind === "json" && !server.asked.has(id))
      .map(({ id }) => id);
    assert.deepEqual(missed.filter((id) => !OPENING_ROUTES.includes(id)), [], "every route was asked");
  },
);
