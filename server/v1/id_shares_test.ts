import assert from "node:assert/strict";
import { IDS_A_SERVICE } from "../limits.ts";
import { V1_MAX_CHANNELS } from "../../protocol/v1/limits.ts";
import { test } from "../../tests/rig/test.ts";
import { IdShares } from "./id_shares.ts";

const client = (service: string, site = "192.0.2.1") => ({ service, site });

/** Clients of a service come until one may not. @returns how many ids are free then. */
function crowd(shares: IdShares, service: string, services: readonly string[], free: number): number {
  for (; shares.mayOpen(service, services, free); free--) shares.add(client(service));
  return free;
}

test("the one service of a link may have all ids", () => {
  assert.equal(crowd(new IdShares(), "ssh", ["ssh"], V1_MAX_CHANNELS), 0);
});

test(`a crowd at one service leaves each other one ${IDS_A_SERVICE} ids, less those it has`, () => {
  const shares = new IdShares();
  const services = ["ssh", "web", "db"];
  const web = client("web");
  shares.add(web);
  const free = crowd(shares, "ssh", services, V1_MAX_CHANNELS - 1);
  assert.equal(free, 2 * IDS_A_SERVICE - 1);
  assert.equal(shares.mayOpen("web", services, free), true);
  assert.equal(crowd(shares, "db", services, free), IDS_A_SERVICE - 1, "and it cannot take what is kept for the web");
  shares.delete(web);
  assert.equal(shares.mayOpen("db", services, IDS_A_SERVICE), false);
});

test("of many services each has less of its own, and none shuts the others out", () => {
  const services = Array.from({ length: 200 }, (_, n) => `${n}`);
  assert.equal(crowd(new IdShares(), "0", services, V1_MAX_CHANNELS), 0);
});

test("the next id is for the service that has fewest, then for the address that has fewest of it", () => {
  const shares = new IdShares();
  const services = ["ssh", "web"];
  for (let n = 0; n < 9; n++) shares.add(client("ssh"));
  shares.add(client("ssh", "192.0.2.2"));
  const load = shares.loads(services, V1_MAX_CHANNELS - 10);
  const order = [client("ssh"), client("ssh", "192.0.2.2"), client("ssh", "192.0.2.3"), client("web")].map(load);
  assert.deepEqual(order, order.toSorted((a, b) => b - a));
  assert.equal(new Set(order).size, 4);
  assert.equal(shares.loads(services, IDS_A_SERVICE)(client("ssh")), Infinity);
});
