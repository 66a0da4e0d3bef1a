import assert from "node:assert/strict";
import { noDatagrams } from "../../../net/udp/counts.ts";
import { test } from "../../../tests/rig/test.ts";
import { datagramText } from "./datagrams.ts";

test("what became of datagrams is said in a few words, with what was dropped and why", () => {
  assert.equal(datagramText({ ...noDatagrams(), received: 2 }), "datagrams: 2 received, 0 sent, 0 dropped");
  const counts = { ...noDatagrams(), received: 9, sent: 7, aged: 2, oversized: 1 };
  assert.equal(datagramText(counts), "datagrams: 9 received, 7 sent, 3 dropped: 2 aged, 1 oversized");
});
