import assert from "node:assert/strict";
import { type BytesOfDay, bytesOnWire, DayBytes, LinkBytes } from "./day_bytes.ts";
import { test } from "../../tests/rig/test.ts";

const HOUR_MS = 3_600_000;

test("bytes are summed for each day of UTC, those of clients apart, and the day before is kept", () => {
  const time = { at: Date.UTC(2027, 0, 31, 22), wall: () => time.at };
  const bytes = new DayBytes(time);
  bytes.add(100, false);
  bytes.add(1_000, true);
  time.at += HOUR_MS;
  bytes.add(10, false);
  assert.deepEqual(bytes.today, { day: "2027-01-31", idle: 110, carried: 1_000 });
  assert.equal(bytes.before, undefined);
  time.at += HOUR_MS;
  assert.deepEqual(bytes.today, { day: "2027-02-01", idle: 0, carried: 0 });
  assert.deepEqual(bytes.before, { day: "2027-01-31", idle: 110, carried: 1_000 });
});

test("a day that comes to more than its limit is told of once, and so is the next", () => {
  const time = { at: Date.UTC(2027, 0, 31), wall: () => time.at };
  const told: BytesOfDay[] = [];
  const bytes = new DayBytes(time, () => 1_000, (today) => told.push(today));
  bytes.add(600, false);
  bytes.add(400, true);
  assert.deepEqual(told, []);
  bytes.add(1, true);
  bytes.add(5_000, true);
  assert.deepEqual(told, [{ day: "2027-01-31", idle: 600, carried: 401 }]);
  time.at += 24 * HOUR_MS;
  bytes.add(1_001, false);
  assert.deepEqual(told.map(({ day }) => day), ["2027-01-31", "2027-02-01"]);
});

test("without a limit nothing is told", () => {
  const bytes = new DayBytes({ wall: () => 0 }, () => 0, () => assert.fail());
  bytes.add(1e12, false);
});

test("what a link has cost counts for clients from the first one on, until none is there at a look", () => {
  const told: [number, boolean][] = [];
  const bytes = new LinkBytes((count, carried) => told.push([count, carried]));
  bytes.begin(500);
  bytes.look(100, true); // one comes
  bytes.look(350, true);
  bytes.look(400, false); // it has gone
  bytes.look(400, false);
  bytes.look(450, false);
  assert.deepEqual(told, [[500, false], [100, false], [250, true], [50, true], [50, false]]);
  bytes.begin(500);
  bytes.look(70, false);
  assert.deepEqual(told.slice(5), [[500, false], [70, false]], "another link counts from 0");
});

test("a probe and its answer come to what three packets are, with TLS", () => {
  // PING has 24 bytes, PONG 32; 22 of TLS for each, 52 of IP and TCP with its times for each, and for the last acknowledgement
  assert.equal(bytesOnWire({ bytes: 56, pieces: 2 }, false), 256 + 4);
  assert.equal(bytesOnWire({ bytes: 56, pieces: 2 }, true), 212 + 4);
});
