import assert from "node:assert/strict";
import { test } from "../../../tests/rig/test.ts";
import { clientTable } from "./client_table.ts";

const NOW = Date.parse("2027-01-01T00:00:00Z");
const CLIENT = {
  id: 17,
  service: "gateway-berlin-7/web",
  address: "198.51.100.207:53740",
  place: "198.51.100.1:8080",
  state: "open",
  since: "2026-12-31T20:48:00.000Z",
  bytesUp: 1_536,
  bytesDown: 5 * 2 ** 20,
  datagrams: null,
};

test("clients are told within a terminal's columns: what says least goes first, and numbers stay", () => {
  const table = (width?: number) => clientTable("HOST", [CLIENT], width, NOW);
  assert.match(table()[0]!, /^ID +SERVICE +CLIENT +HOST +STATE +AGE +UP +DOWN$/);
  assert.deepEqual(table(200), table());
  for (const width of [40, 60, 80, 90]) {
    assert.ok(table(width).every((line) => line.length <= width), `${width}\n${table(width).join("\n")}`);
  }
  assert.equal(table(80)[1], "17  gateway-berlin-7/web  198.51.100.207:53740  open   3h 12m  1.5 KiB  5.0 MiB");
  assert.match(table(60)[0]!, /^ID +SERVICE +CLIENT +UP +DOWN$/);

  const datagrams = {
    received: 9,
    sent: 8,
    overflowed: 0,
    aged: 1,
    late: 0,
    refused: 0,
    oversized: 0,
    unsent: 0,
    unread: 0,
  };
  assert.match(
    clientTable("HOST", [CLIENT, { ...CLIENT, datagrams }], undefined, NOW)[2]!,
    / 9 received, 8 sent, 1 dropped: 1 aged$/,
  );
});
