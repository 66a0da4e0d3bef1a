import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { folderTest, test } from "../../tests/rig/test.ts";
import { adminClient } from "../../app/admin/client.ts";
import { mistakeIn } from "../../app/admin/schema.ts";
import { served } from "../admin/_served_test.ts";
import type { ClientEndEvent, RefusedEvent } from "../events.ts";
import { MAX_REFUSALS_OF_A_REASON, MAX_REFUSALS_OF_A_SITE } from "./limits.ts";
import { CLIENT_REFUSALS, RecentRefusals } from "./recent.ts";
import { Refused } from "./routes.ts";

const refused = (facts: Partial<RefusedEvent>): RefusedEvent => ({
  type: "refused",
  listen: "0.0.0.0:7443",
  remote: "192.0.2.1:1",
  reason: "unknown-device",
  why: "nobody authorized it",
  ...facts,
});

const ended = (facts: Partial<ClientEndEvent>): ClientEndEvent => ({
  type: "client-end",
  client: "198.51.100.7:1",
  hostAddress: "0.0.0.0:2201",
  localAddress: "ssh",
  device: "gw1",
  reason: "not-allowed",
  error: "allow-from has not its network",
  bytesUp: 0,
  bytesDown: 0,
  duration: 0,
  ...facts,
});

test("those who are turned away alike are one entry, with a count, and the last one's words", () => {
  const clock = new FakeClock();
  const recent = new RecentRefusals(clock);
  const since = clock.wall();
  for (let n = 1; n <= 1_000; n++) {
    recent.take(refused({ remote: `192.0.2.1:${n}`, key: "ed25519:k", why: `the ${n}th` }));
    recent.take(ended({ client: `[2001:db8:0:${n % 16}::7]:${n}` }));
    clock.jump(1);
  }
  recent.take(refused({ reason: "mute" }));
  recent.take(ended({ reason: "client-closed" }));
  const [client, device, ...others] = recent.all;
  assert.deepEqual(others, []);
  assert.deepEqual(device, {
    who: "device",
    reason: "unknown-device",
    site: "192.0.2.1",
    remote: "192.0.2.1:1000",
    at: "0.0.0.0:7443",
    device: undefined,
    key: "ed25519:k",
    service: undefined,
    why: "the 1000th",
    count: 1_000,
    first: since,
    last: since + 999,
    place: 1_999,
  });
  assert.deepEqual(
    [client!.who, client!.site, client!.at, client!.device, client!.service, client!.count],
    ["client", "2001:db8::/56", "0.0.0.0:2201", "gw1", "ssh", 1_000],
  );
});

test("a flood with ever new keys, or from ever new addresses, stays small, is counted, and pushes out nobody else", () => {
  const recent = new RecentRefusals(new FakeClock());
  recent.take(refused({ remote: "198.51.100.1:1", key: "ed25519:lost" }));
  recent.take(refused({ reason: "disabled", device: "gw1", key: "ed25519:gw1" }));
  for (let n = 0; n < 10_000; n++) recent.take(refused({ key: `ed25519:${n}` }));
  const of = (reason: string) => recent.all.filter((each) => each.reason === reason);
  assert.equal(of("unknown-device").length, MAX_REFUSALS_OF_A_SITE + 2);
  assert.ok(of("unknown-device").some(({ key }) => key === "ed25519:lost"), "who comes from elsewhere is still seen");
  for (let n = 0; n < 10_000; n++) recent.take(refused({ remote: `10.0.${n >> 8}.${n & 255}:1` }));
  const found = of("unknown-device");
  assert.equal(found.length, MAX_REFUSALS_OF_A_REASON + 1);
  assert.equal(found.reduce((sum, { count }) => sum + count, 0), 20_001, "nobody is missing from the counts");
  const others = found.filter(({ site }) => site === undefined);
  assert.deepEqual(others.map(({ count, key, why }) => [count, key, why]), [[
    20_001 - MAX_REFUSALS_OF_A_REASON,
    undefined,
    undefined,
  ]]);
  assert.equal(of("disabled").length, 1);
  const places = recent.all.map(({ place }) => place);
  assert.deepEqual([new Set(places).size, places.toSorted((a, b) => b - a)], [places.length, places]);
  for (const reason of CLIENT_REFUSALS) {
    for (let n = 0; n < 1_000; n++) recent.take(ended({ reason, client: `10.0.${n >> 8}.${n & 255}:1` }));
  }
  assert.ok(recent.all.length <= (2 + CLIENT_REFUSALS.length) * (MAX_REFUSALS_OF_A_REASON + 1));
});

folderTest(
  "the API has them in pages, by who, reason and device, and none of a stranger's own words",
  async (folder) => {
    await using server = await served(folder);
    const { handle, client } = server;
    const words = "GET /a-strangers-own-words HTTP/1.1\r\n\r\n";
    const happened = Promise.withResolvers<void>();
    let left = 3;
    handle.subscribe(({ type }) => void (type === "refused" && --left === 0 && happened.resolve()));
    for (const [at, address] of [handle.addresses[0]!, handle.addresses[1]!, handle.addresses[1]!].entries()) {
      const [hostname = "", port] = address.split(":");
      using conn = await Deno.connect({ hostname, port: Number(port) });
      await conn.write(new TextEncoder().encode(at === 0 ? words : words.slice(0, 20)));
      while (await conn.read(new Uint8Array(512)).catch(() => null) !== null);
    }
    await happened.promise;
    const get = async (
      query: string,
    ) => (await client.get<{ items: Refused[]; cursor: string | null }>(`/v1/refusals${query}`));
    const all = await get("");
    assert.deepEqual(all.items.map(({ who, reason, at, count }) => [who, reason, at, count]), [
      ["device", "stranger", handle.addresses[1], 2],
      ["device", "stranger", handle.addresses[0], 1],
    ]);
    assert.doesNotMatch(JSON.stringify(all), /own-words/);
    for (const item of all.items) assert.equal(mistakeIn(Refused, item, "item"), undefined);
    const first = await get("?limit=1");
    assert.deepEqual(first.items, all.items.slice(0, 1));
    assert.deepEqual(await get(`?limit=1&cursor=${first.cursor}`), { items: all.items.slice(1), cursor: null });
    assert.equal((await get("?reason=stranger&who=device")).items.length, 2);
    for (const none of ["?who=client", "?reason=disabled", "?device=*"]) {
      assert.deepEqual(
        (await get(none)).items,
        [],
        none,
      );
    }
    using plain = adminClient({ socket: server.socket });
    for (const wrong of ["?who=nobody", "?reason=mute", "?cursor=x", "?limit=0"]) {
      await assert.rejects(plain.get(`/v1/refusals${wrong}`), /query\./, wrong);
    }
  },
);
