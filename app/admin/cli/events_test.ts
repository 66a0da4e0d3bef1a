import assert from "node:assert/strict";
import { test } from "../../../tests/rig/test.ts";
import { lineOf } from "./events.ts";

const TIME = "2027-01-31T12:00:00.750Z";

test("events are told to people with units, times to the second, and services by their name", () => {
  const told = (type: string, facts: Record<string, unknown>) => lineOf({ id: "a-1", time: TIME, type, ...facts });
  assert.equal(
    told("client-end", {
      device: "gw1",
      localAddress: "ssh",
      reason: "x",
      duration: 1_500,
      bytesUp: 1_536,
      bytesDown: 0,
    }),
    '2027-01-31T12:00:00Z client-end device=gw1 service=ssh reason=x duration="1.5 s" bytesUp="1.5 KiB" bytesDown="0 B"',
  );
  assert.equal(
    told("service-opened", { localAddress: "ssh", until: "2027-01-31T13:00:00.999Z", from: ["10.0.0.0/8", "::1"] }),
    "2027-01-31T12:00:00Z service-opened service=ssh until=2027-01-31T13:00:00Z from=10.0.0.0/8,::1",
  );
  assert.equal(
    told("channel-end", { service: "ssh", localAddress: "127.0.0.1:22", error: "" }),
    '2027-01-31T12:00:00Z channel-end service=ssh localAddress=127.0.0.1:22 error=""',
  );
  assert.match(told("link-down", { interrupted: true, duration: 180_000 }), / interrupted=true duration="3 min"$/);
  assert.match(told("interrupted", { attempt: 3, retryIn: 612 }), / attempt=3 retryIn="612 ms"$/);
});
