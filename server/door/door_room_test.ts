import assert from "node:assert/strict";
import fc from "fast-check";
import { DESCRIPTORS_A_HOP, DESCRIPTORS_FOR_FILES, DESCRIPTORS_FOR_LINKS, MAX_HANDSHAKES } from "../../net/limits.ts";
import {
  DOOR_PART,
  MAX_HANDSHAKES_UNDER_WAY,
  MAX_PENDING_LINKS,
  MAX_WAITING_HANDSHAKES,
  MIN_AT_DOOR,
} from "./limits.ts";
import { keptFrom } from "../../net/kernel/descriptor_room.ts";
import { test } from "../../tests/rig/test.ts";
import { doorRoom } from "./door_room.ts";

test("where there are many descriptors, or nobody knows how many, doors have the room that they are meant to have", () => {
  const whole = {
    handshakes: MAX_HANDSHAKES,
    waiting: MAX_WAITING_HANDSHAKES,
    underWay: MAX_HANDSHAKES_UNDER_WAY,
    links: MAX_PENDING_LINKS,
  };
  assert.deepEqual(doorRoom({ open: 1 }, 1, 20_000), whole);
  assert.deepEqual(doorRoom({ open: 1 }, 1, Infinity), whole);
});

test("a door has less room from the moment on at which another listener opens, and more when that is gone", () => {
  const listeners = { open: 1 };
  const room = doorRoom(listeners, 1, 1_000);
  const alone = { ...room };
  listeners.open = 2;
  for (const name of ["handshakes", "waiting", "links"] as const) assert.ok(room[name] <= alone[name] / 2, name);
  listeners.open = 1;
  assert.deepEqual({ ...room }, alone);
});

test("however few there are, all doors together have a quarter of them at most, and each has some room", () => {
  const descriptors = fc.integer({ min: 40, max: 2_000_000 });
  fc.assert(fc.property(descriptors, fc.integer({ min: 1, max: 20 }), fc.boolean(), (most, listeners, isHopped) => {
    const each = isHopped ? DESCRIPTORS_A_HOP : 1;
    const { handshakes, waiting, underWay, links } = doorRoom({ open: listeners }, each, most);
    const part = most / DOOR_PART / listeners / each;
    assert.ok(handshakes + waiting <= Math.max(part, 2 * MIN_AT_DOOR, part + MIN_AT_DOOR), "v2");
    assert.ok(links <= Math.max(part, MIN_AT_DOOR), "v1");
    assert.ok(Math.min(handshakes, waiting, links) >= MIN_AT_DOOR);
    assert.ok(underWay >= 1 && underWay < handshakes);
  }));
});

test("clients leave descriptors to links, and both to files; of few they leave a small part", () => {
  for (const most of [40, 64, 256, 1_024, 20_000]) {
    const [links, clients] = [keptFrom("link", most), keptFrom("client", most)];
    assert.ok(0 < links && links < clients && clients < most / 4, `${links} and ${clients} of ${most}`);
  }
  assert.equal(keptFrom("link", 20_000), DESCRIPTORS_FOR_FILES);
  assert.equal(keptFrom("client", 20_000), DESCRIPTORS_FOR_FILES + DESCRIPTORS_FOR_LINKS);
});
