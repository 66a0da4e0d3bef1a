import assert from "node:assert/strict";
import { test } from "../../../tests/rig/test.ts";
import type { DeviceFacts, Service } from "../../admin/schemas.ts";
import { linesOf } from "./status.ts";

const NOW = Date.parse("2027-01-01T00:00:00Z");
const SINCE = "2026-12-31T23:59:00.000Z";

const FACTS: DeviceFacts = {
  version: "0.1.0",
  engine: "native",
  pid: 7,
  started: SINCE,
  profile: "v2",
  state: "online",
  since: SINCE,
  sessionSince: SINCE,
  name: "gw1",
  server: "relay.example:7443",
  local: "10.0.0.2:40000",
  remote: "192.0.2.1:7443",
  bound: true,
  isCompatible: true,
  mode: "run",
  modeChange: null,
  clockOffset: -2.4,
  roundTrip: 5.64,
  tcp: null,
  keepAlive: { idleTimeout: 25_000, probeInterval: 5_000, probeCount: 2 },
  serverKeepAlive: { idleTimeout: -1, probeInterval: -1, probeCount: 0 },
  goodbye: null,
  outage: null,
  servicesFrom: "state",
  clients: 1,
  clientsEver: 3,
};

const SERVICE: Service = {
  name: "ssh",
  kind: "tcp",
  localAddress: "127.0.0.1:22",
  offered: true,
  up: null,
  hostAddress: null,
  error: null,
  clients: 0,
  endpoint: { state: null, detail: null, counts: {} },
  datagrams: null,
};

function rows(services: Service[]): string[] {
  return linesOf({ ...FACTS, services }, NOW);
}

test("a device's status reads as sentences do, whatever the numbers are", () => {
  const lines = rows([]);
  for (
    const line of [
      "state      online as gw1, for 1m",
      "clock      the server's is 2 ms behind this one",
      "keepalive  the server may be silent for 25 s, then 2 probes 5 s apart",
      "           this device may be silent for ever",
      "clients    1 now, 3 since it runs",
    ]
  ) assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
});

test("a device without a link says since when, when it tries again, and what went wrong last", () => {
  const of = (more: Partial<NonNullable<DeviceFacts["outage"]>>) =>
    linesOf({
      ...FACTS,
      services: [],
      outage: { since: SINCE, tries: 3, error: "refused", nextTry: "2027-01-01T00:00:12.500Z", ...more },
    }, NOW)[3];
  assert.equal(of({}), "no link    for 1m, 3 tries failed; next try in 12.5 s; last: refused");
  assert.equal(of({ tries: 1, nextTry: SINCE }), "no link    for 1m, 1 try failed; trying now; last: refused");
  assert.equal(of({ tries: 0, error: null, nextTry: null }), "no link    for 1m; no other try");
});

test("a device that the server refuses has its last word, and no answer to wait for", () => {
  const goodbye = { code: "revoked", text: "gw1 was revoked" } as const;
  const lines = linesOf({ ...FACTS, state: "waiting", goodbye, services: [SERVICE] }, NOW);
  assert.deepEqual(lines.slice(-2), [
    "service    ssh no link -> 127.0.0.1:22, 0 clients",
    "goodbye    revoked: gw1 was revoked",
  ]);
});

test("on v1 a service is what the server may ask for, and what is reached then", () => {
  const of = (more: Partial<Service>) =>
    linesOf({ ...FACTS, profile: "v1", services: [{ ...SERVICE, ...more }] }, NOW).at(-1)!.replace(/^service +/, "");
  const range = { name: "10.0.0.0/24:*", localAddress: "10.0.0.0/24:*", clients: 1 };
  assert.equal(of(range), "10.0.0.0/24:*, 1 client");
  const endpoint = { state: null, detail: null, counts: { reached: 2, failed: 0 } };
  assert.equal(
    of({ name: "127.0.0.1:2375", localAddress: "unix:/run/docker.sock", endpoint }),
    "127.0.0.1:2375 -> unix:/run/docker.sock, 0 clients; reached 2",
  );
});

test("a service says in one word why it is not open, and what is behind that at its end", () => {
  const of = (more: Partial<Service>) => rows([{ ...SERVICE, ...more }]).at(-1)!.replace(/^service +/, "");
  assert.equal(of({ hostAddress: "0.0.0.0:2201", clients: 1 }), "ssh at 0.0.0.0:2201 -> 127.0.0.1:22, 1 client");
  assert.equal(
    of({ error: 'closed: "server open gw1/ssh --for 1h" opens it for a time' }),
    'ssh closed -> 127.0.0.1:22, 0 clients; "server open gw1/ssh --for 1h" opens it for a time',
  );
  assert.equal(
    of({ error: "not-granted: granted to gw1: web" }),
    "ssh not-granted -> 127.0.0.1:22, 0 clients; granted to gw1: web",
  );
  assert.equal(of({}), "ssh not answered yet -> 127.0.0.1:22, 0 clients");
  assert.equal(of({ offered: false }), "ssh withdrawn -> 127.0.0.1:22, 0 clients");
  assert.equal(of({ offered: false, up: false }), "ssh down -> 127.0.0.1:22, 0 clients");
});
