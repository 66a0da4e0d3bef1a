import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { TomlTable } from "../../app/toml/table.ts";
import {
  checkGrant,
  checkGrants,
  eachService,
  formatGrantedAddress,
  parseGrant,
  parseGrantedAddress,
  type ServiceGrant,
} from "./service_grant.ts";
import { formatGrants, readGrants } from "./grant_table.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test("a host address has a port, a range, or 0 for any free one", STRICT, () => {
  const table: [string, string, number, number][] = [
    ["0.0.0.0:2201", "0.0.0.0", 2201, 2201],
    ["[::1]:8000-8099", "::1", 8000, 8099],
    ["localhost:0", "localhost", 0, 0],
  ];
  for (const [text, host, from, to] of table) {
    assert.deepEqual(parseGrantedAddress(text), { host, from, to });
    assert.equal(formatGrantedAddress({ host, from, to }), text);
  }
  assert.deepEqual(parseGrant("w.e-b_1=127.0.0.1:80").name, "w.e-b_1");
  const wrong: [string, RegExp][] = [
    ["0.0.0.0:9-8", /"9-8" in .* is not a range; write one as in 8000-8099/],
    ["0.0.0.0:0-8", /is not a range/],
    ["0.0.0.0:1-70000", /is not a port/],
    ["0.0.0.0:1-2-3", /is not a port/],
    ["0.0.0.0", /has no port/],
    ["a b:1", /neither a host name nor an IP/],
  ];
  for (const [text, says] of wrong) {
    assert.throws(() => parseGrantedAddress(text), (error) => error instanceof SyntaxError && says.test(error.message));
  }
  for (const text of ["ssh", "=0.0.0.0:1", "ssh=", "s h=0.0.0.0:1"]) {
    assert.throws(() => parseGrant(text), { name: "SyntaxError", message: /write/ }, text);
  }
});

Deno.test("services are read as they are written, with all their limits", STRICT, () => {
  const services = fc.uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/),
      listen: fc.oneof(
        fc.nat(65535).map((port) => ({ host: "0.0.0.0", from: port, to: port })),
        fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 100, max: 65535 }))
          .map(([from, to]) => ({ host: "fd00::1", from, to })),
      ),
      maxClients: fc.integer({ min: 1, max: 65536 }),
      idleTimeout: fc.integer({ min: 1, max: 7 * 86_400_000 }),
      proxyFrom: fc.constantFrom([], ["10.0.0.0/8", "::1"]),
      allowFrom: fc.constantFrom(["10.0.0.0/8"], ["::/0", "192.0.2.1"]),
      denyFrom: fc.constantFrom([], ["10.0.0.0/8"]),
      maxClientsPerAddress: fc.integer({ min: 1, max: 65536 }),
      clientRate: fc.tuple(fc.integer({ min: 1, max: 9_999 }), fc.constantFrom(1_000, 60_000)).map(([count, per]) => ({
        count,
        per,
      })),
      clientRatePerAddress: fc.tuple(fc.integer({ min: 1, max: 9_999 }), fc.constant(3_600_000)).map((
        [count, per],
      ) => ({ count, per })),
      bandwidthUp: fc.integer({ min: 10_000, max: 999_999_999 }),
      bandwidthDown: fc.integer({ min: 10_000, max: 999_999_999 }),
      timeLimit: fc.integer({ min: 1, max: 7 * 86_400_000 }),
      hours: fc.constantFrom([], ["Mon-Fri 08:00-18:00 Europe/Berlin", "22:00-06:00 UTC"]),
      closed: fc.boolean(),
    }, { requiredKeys: ["name", "listen"], noNullPrototype: true }),
    { selector: ({ name }) => name, maxLength: 5 },
  );
  fc.assert(fc.property(services, (written) => {
    const table = TomlTable.parse("x", `services = ${formatGrants(written)}`);
    // Whole numbers as keys come first in any object: the order of services means nothing.
    const byName = (all: readonly ServiceGrant[]) => Object.fromEntries(all.map((grant) => [grant.name, grant]));
    assert.deepEqual(byName(readGrants(table.table("services")!)), byName(written));
    table.rejectUnknown();
  }));
});

test("a range for each of its ports is as many services, and one line again", () => {
  const range = parseGrant("web=0.0.0.0:8000-8002,each");
  assert.equal(formatGrantedAddress(range.listen), "0.0.0.0:8000-8002,each");
  const services = [{ ...range, local: "10.0.0.7:9000-9002", maxClients: 2 }, parseGrant("ssh=0.0.0.0:0")];
  for (const grant of services) checkGrant(grant);
  const all = eachService(services);
  assert.deepEqual(all.map(({ name, listen, local }) => `${name} ${formatGrantedAddress(listen)} ${local}`), [
    "web-1 0.0.0.0:8000 10.0.0.7:9000",
    "web-2 0.0.0.0:8001 10.0.0.7:9001",
    "web-3 0.0.0.0:8002 10.0.0.7:9002",
    "ssh 0.0.0.0:0 undefined",
  ]);
  assert.deepEqual(all.map(({ maxClients }) => maxClients), [2, 2, 2, undefined]);
  assert.equal(eachService(services), all, "it is not made anew for the same services");
  assert.equal(
    formatGrantedAddress(parseGrantedAddress("udp:[::1]:53-54,max-age=1s,each")),
    "udp:[::1]:53-54,max-age=1s,each",
  );
  assert.throws(() => checkGrant({ ...range, local: "10.0.0.7:9000-9001" }), /3 host ports and 2 local ones/);
  assert.throws(() => checkGrant({ ...range, local: "10.0.0.7:9000" }), /3 host ports and 1 local ones/);
  assert.throws(
    () => checkGrants([range, { ...range, name: "web-2" }, parseGrant("web-2=1")]),
    /"web-2" is there twice/,
  );
  assert.throws(() => parseGrant(`${"n".repeat(62)}=0.0.0.0:1-9,each`), SyntaxError, "its names would be too long");
  assert.throws(() => parseGrantedAddress("unix:/run/a.sock,each"), SyntaxError);
});
