import assert from "node:assert/strict";
import fc from "fast-check";
import { MIN_CLIENTS } from "../limits.ts";
import { test } from "../../tests/rig/test.ts";
import { ClientRoom } from "./client_room.ts";

const isIn = (entered: ReturnType<ClientRoom["enter"]>) => typeof entered === "function";

/** Clients come until one has to go. @returns how many there were. */
function crowd(room: ClientRoom, service: string, site: (n: number) => string): number {
  let n = 0;
  while (isIn(room.enter({ service, site: site(n) }))) n++;
  return n;
}

test("one service may have three quarters of the room, the next as much of the rest, and so on", () => {
  const room = new ClientRoom(1_000);
  const parts = ["ssh", "web", "db"].map((service) => crowd(room, service, (n) => `${service} ${n}`));
  assert.deepEqual(parts, [750, 188, 47]);
});

test("one address may have as much at all services together", () => {
  const room = new ClientRoom(1_000);
  let n = 0;
  while (isIn(room.enter({ service: `s${n % 10}`, site: "192.0.2.1" }))) n++;
  assert.equal(n, 750);
  assert.equal(room.enter({ service: "s0", site: "192.0.2.1" }), "address");
  assert.ok(isIn(room.enter({ service: "another", site: "192.0.2.1" })), "but each service has a few of its own");
  assert.ok(isIn(room.enter({ service: "s0", site: "192.0.2.2" })));
});

test("a few of each service are let in, however little room there seems to be, and who leaves makes room", () => {
  const room = new ClientRoom(0);
  const leave = room.enter({ service: "ssh", site: "a" });
  assert.equal(crowd(room, "ssh", (n) => `${n}`), MIN_CLIENTS - 1);
  assert.equal(room.enter({ service: "ssh", site: "b" }), "all");
  assert.ok(typeof leave === "function");
  leave();
  assert.ok(isIn(room.enter({ service: "ssh", site: "a" })));
});

test("whoever comes and goes, somebody new is let in while there is room", () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.boolean()), { maxLength: 300 }), (steps) => {
    const room = new ClientRoom(100);
    const inside: (() => void)[] = [];
    for (const [service, site, comes] of steps) {
      const leave = comes ? room.enter({ service, site: `${site}` }) : undefined;
      if (typeof leave === "function") inside.push(leave);
      if (!comes) inside.shift()?.();
      const entered = room.enter({ service: "new", site: "new" });
      assert.ok(typeof entered === "function");
      entered();
    }
  }));
});
