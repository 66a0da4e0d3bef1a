import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { FLEET_TOKEN, serveFleet } from "../../tests/rig/dashboard/fleet.ts";
import { folderTest, test } from "../../tests/rig/test.ts";
import { within } from "../../tests/rig/wait.ts";
import { openDoor } from "./door.ts";
import { DASHBOARD } from "./files.ts";
import { bytes, duration, millis, span } from "./web/format.js";
import { pathOf, roundUp } from "./web/chart.js";
import { sorted } from "./web/table.js";
import { stretches } from "./web/timeline.js";

const PROOF = "x-sallyport-proof";
const JSON_TYPE = { "content-type": "application/json" };

/** Asks at an address, as a browser does. */
async function ask(address: string, path: string, headers: Record<string, string> = {}, body?: unknown) {
  const response = await fetch(new URL(path, address), {
    headers: body === undefined ? headers : { ...JSON_TYPE, ...headers },
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function login(address: string, token: string): Promise<Record<string, string>> {
  const { status, headers, text } = await ask(address, "/login", {}, { token });
  assert.equal(status, 200, text);
  const [, cookie] = /^(sallyport-\d+=[\w-]+); Path=\/; HttpOnly; SameSite=Strict$/.exec(headers.get("set-cookie")!)!;
  return { cookie: cookie!, [PROOF]: (JSON.parse(text) as { proof: string }).proof };
}

folderTest("every file is served with headers that let nothing else in, also to who is not in", async (folder) => {
  await using fleet = await serveFleet(folder, 3);
  const address = `http://${fleet.address}/`;
  for (const { path, text, type } of DASHBOARD) {
    const answer = await ask(address, path);
    assert.deepEqual([answer.status, answer.text === text, answer.headers.get("content-type")], [200, true, type]);
    assert.match(
      answer.headers.get("content-security-policy")!,
      /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'/,
    );
    assert.deepEqual(
      ["x-content-type-options", "referrer-policy", "cache-control"].map((name) => answer.headers.get(name)),
      ["nosniff", "no-referrer", "no-store"],
    );
  }
  assert.doesNotMatch(DASHBOARD[0]!.text, /<script>|style=|onclick=|https?:/);
  assert.equal((await ask(address, "/v1/devices")).status, 401);
  assert.equal((await ask(address, "/nothing.js")).status, 401);
  assert.equal((await ask(address, "/", {}, {})).status, 405);
});

folderTest("a login takes the token alone, and no page of others can use it", async (folder) => {
  await using fleet = await serveFleet(folder, 3);
  const address = `http://${fleet.address}/`;
  assert.equal((await ask(address, "/login", {}, { token: "wrong" })).status, 401);
  assert.equal((await ask(address, "/login", { "content-type": "text/plain" }, { token: FLEET_TOKEN })).status, 415);
  assert.equal((await ask(address, "/login", { origin: "http://evil.example" }, { token: FLEET_TOKEN })).status, 403);
  const headers = await login(address, FLEET_TOKEN);
  const name = fleet.devices[0]!.name;
  const drop = (more: Record<string, string>) => ask(address, `/v1/devices/${name}/drop`, more, {});
  assert.equal((await ask(address, "/v1/devices", headers)).status, 200);
  assert.equal((await drop({ cookie: headers["cookie"]! })).status, 401, "a cookie alone");
  assert.equal((await drop({ ...headers, origin: "http://evil.example" })).status, 403);
  assert.equal((await drop({ ...headers, "sec-fetch-site": "same-site" })).status, 403);
  assert.equal((await drop({ ...headers, "sec-fetch-site": "cross-site" })).status, 403);
  assert.deepEqual(fleet.acts, []);
  assert.equal((await drop({ ...headers, "sec-fetch-site": "same-origin" })).status, 200);
  assert.deepEqual(fleet.acts, [`drop ${name}`]);
  const stream = await fetch(new URL("/v1/events/stream", address), { headers });
  const reader = stream.body!.getReader();
  await reader.read();
  assert.equal((await ask(address, "/logout", headers, {})).status, 200);
  fleet.happen({
    type: "refused",
    listen: "0.0.0.0:1",
    remote: "192.0.2.1:1",
    reason: "unknown-device",
    why: "nobody is to see this",
  });
  assert.deepEqual(await within(reader.read(), "the end of the stream"), { done: true, value: undefined });
  assert.equal((await ask(address, "/v1/devices", headers)).status, 401);
});

folderTest("at the Unix socket nobody logs in, and a page of others that is led there gets nothing", async (folder) => {
  await using fleet = await serveFleet(folder, 3);
  const client = Deno.createHttpClient({ proxy: { transport: "unix", path: fleet.admin.socket! } });
  const status = async (host: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://${host}/v1/devices`, { client, headers });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await status("localhost"), 200);
  assert.equal(await status("localhost:8080", { origin: "http://localhost:8080" }), 200); // ssh -L
  assert.equal(await status("localhost:8080", { origin: "http://localhost:9090" }), 403);
  assert.equal(await status("localhost:8080", { "sec-fetch-site": "cross-site" }), 403);
  assert.equal(await status("evil.example:8080"), 403);
  client.close();
});

folderTest("the way of server dashboard lets in by its link, once, and passes on what the API says", async (folder) => {
  await using fleet = await serveFleet(folder, 3);
  await using door = openDoor(fleet.admin.socket!, systemClock);
  const { address } = door;
  const secret = door.link.split("#login=")[1]!;
  assert.equal((await ask(address, "/")).status, 200);
  assert.equal((await ask(address, "/v1/devices")).status, 401);
  assert.equal((await ask(address, "/v1/devices", { authorization: `Bearer ${secret}` })).status, 401);
  const headers = await login(address, secret);
  assert.equal((await ask(address, "/login", {}, { token: secret })).status, 401);
  const { items } = JSON.parse((await ask(address, "/v1/devices?limit=2", headers)).text) as { items: unknown[] };
  assert.equal(items.length, 2);
  const refused = await ask(address, "/v1/devices?limit=x", headers);
  assert.deepEqual([refused.status, /query.limit/.test(refused.text)], [400, true]);
  await ask(address, `/v1/devices/${fleet.devices[0]!.name}/disable`, headers, {});
  assert.deepEqual(fleet.acts, [`disable ${fleet.devices[0]!.name}`]);
  const stream = await fetch(`${address}v1/events/stream`, { headers });
  const reader = stream.body!.getReader();
  await reader.read();
  await reader.cancel();
});

test("what people read is short, and what is drawn is right", () => {
  assert.deepEqual([0, 999, 1_000, 12_345, 5e9].map(bytes), ["0 B", "999 B", "1.0 KB", "12 KB", "5.0 GB"]);
  assert.deepEqual([900, 61_000, 3_600_000, 5_400_000, 90_000_000].map(span), [
    "1 s",
    "1 min",
    "1 h",
    "1 h 30 min",
    "1 d 1 h",
  ]);
  assert.deepEqual(["30s", " 1.5 h", "7d", "500ms"].map(duration), [30_000, 5_400_000, 604_800_000, 500]);
  for (const text of ["", "5", "soon", "-1m", "0s", "1w"]) assert.throws(() => duration(text), /is no time/, text);
  assert.deepEqual([null, 1.234, 45.6, 1_500].map(millis), ["–", "1.2 ms", "46 ms", "1.5 s"]);
  assert.deepEqual([0, 0.3, 7, 10, 1_100].map(roundUp), [1, 0.5, 10, 10, 2_000]);
  const same = (value: number) => value;
  assert.equal(pathOf([0, 1, 2, 9], [1, 2, null, 4], 1, same, same), "M0.0 1.0h0.01L1.0 2.0M9.0 4.0h0.01");
  assert.deepEqual(sorted(["b10", "b9", "a"], (text: string) => text, false), ["a", "b9", "b10"]);
});

test("a time line has a stretch for each state, from what is known", () => {
  const at = (seconds: number, type: string) => ({
    id: `${seconds}`,
    time: new Date(seconds * 1000).toISOString(),
    type,
  });
  const events = [at(10, "link-interrupted"), at(12, "link-resumed"), at(15, "mode"), at(20, "link-down")];
  const states = (found: ReturnType<typeof stretches>) =>
    found.map(({ from, to, state }) => [from / 1000, to / 1000, state]);
  assert.deepEqual(states(stretches(events, 5_000, 30_000, "offline")), [
    [5, 10, "online"],
    [10, 12, "interrupted"],
    [12, 20, "online"],
    [20, 30, "offline"],
  ]);
  assert.deepEqual(states(stretches([], 5_000, 30_000, "online")), [[5, 30, "online"]]);
  assert.deepEqual(states(stretches(events, 11_000, 30_000, "offline"))[0], [11, 12, "interrupted"]);
});
