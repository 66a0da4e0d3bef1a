import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { parseAddress } from "../../protocol/address.ts";
import { serverSettings } from "../options.ts";
import { keptPort } from "../ports/kept_ports.ts";
import { ForwardTable } from "./forward_table.ts";

test("a port is kept for a forward while that stands in the options, and no longer, however often they are others", () => {
  const forward = (n: number) => ({
    hostAddress: parseAddress("127.0.0.1:0"),
    localAddress: { host: "10.0.0.1", port: n },
  });
  const table = new ForwardTable([forward(1)], serverSettings({ listen: [], clock: new FakeClock() }));
  const keep = (port: number) => {
    for (const { id } of table.all) keptPort(table.kept, () => `${id}`, "").set(port);
  };
  keep(2_201);
  const [first] = table.all;
  for (let n = 2; n < 100; n++) {
    table.set([forward(1), forward(n)]);
    keep(2_200 + n);
  }
  assert.deepEqual(table.kept.keys(), table.all.map(({ id }) => `${id} `));
  assert.equal(table.all[0]!.id, first!.id);
  table.set([]);
  assert.deepEqual(table.kept.keys(), []);
});
