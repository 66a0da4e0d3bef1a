import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { capacityFinding } from "./capacity_check.ts";
import type { ServiceGrant } from "../devices/service_grant.ts";

/** So many devices, of so many services each. */
function fleet(devices: number, services: number) {
  const listen = { host: "127.0.0.1", from: 0, to: 0 };
  const grants = Array.from({ length: services }, (_, n): ServiceGrant => ({ name: `s${n}`, listen }));
  return Array.from({ length: devices }, () => ({ services: grants }));
}

test("the doctor compares what devices need with what the system gives", () => {
  assert.deepEqual(capacityFinding(fleet(100, 2), {}, 65_536), {
    level: "ok",
    text: "100 links and 200 host ports, which leaves 65076 descriptors for clients",
  });
  assert.deepEqual(capacityFinding(fleet(300, 2), {}, 1_024), {
    level: "warn",
    text: "1024 descriptors (ulimit -n) are few for 300 links and 600 host ports: 0 are left for clients",
    advice: "LimitNOFILE=4096 in the unit, or ulimit -n 4096 before the start",
  });
  assert.equal(capacityFinding(fleet(300, 2), {}, 4_096).level, "ok", "the advice is enough");
  assert.equal(capacityFinding(fleet(300, 2), {}, undefined).level, "ok");
});

test("the doctor finds limits that cannot be reached, and those that are too low for the devices", () => {
  assert.deepEqual(capacityFinding(fleet(3, 1), { links: 2 }, 65_536), {
    level: "warn",
    text: "3 devices are registered, and max-links lets 2 in at once",
    advice: "max-links = 3",
  });
  assert.equal(
    capacityFinding(fleet(1, 1), { links: 0 }, 65_536).text,
    "1 device is registered, and max-links lets 0 in at once",
  );
  const found = capacityFinding(fleet(3, 1), { sockets: 5_000 }, 1_024);
  assert.match(found.text, /^max-sockets is 5000, and beside 3 host ports there are \d+ \(ulimit -n\)$/);
  assert.match(capacityFinding(fleet(1, 1), { sockets: 5_000 }, 1_024).text, / beside 1 host port there are /);
  assert.equal(capacityFinding(fleet(3, 1), { sockets: 100 }, 1_024).level, "ok");
});
