import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { DATAGRAM_WORDS, DatagramTotals, noDatagrams } from "./counts.ts";

test("every count has its word, in the order of the type", () => {
  assert.deepEqual(DATAGRAM_WORDS, Object.keys(noDatagrams()));
});

test("totals never fall: a service that is no more has left what it counted, once", () => {
  const totals = new DatagramTotals();
  const [one, two] = [noDatagrams(), noDatagrams()];
  const leave = totals.enter(() => one);
  totals.enter(() => two);
  one.sent = 3;
  two.sent = two.aged = 1;
  assert.deepEqual(totals.all, { ...noDatagrams(), sent: 4, aged: 1 });
  leave();
  leave();
  one.sent = 100;
  two.aged = 2;
  assert.deepEqual(totals.all, { ...noDatagrams(), sent: 4, aged: 2 });
});
