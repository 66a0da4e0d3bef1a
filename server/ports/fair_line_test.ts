import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { FairLine, type Waiter } from "./fair_line.ts";

const waiter = (service: string, site: string) => ({ service, site });

/** How many wait, by what they have in common. */
function counts(line: FairLine<Waiter>, of: (each: Waiter) => unknown): number[] {
  const all = new Map<unknown, number>();
  for (const each of line) all.set(of(each), (all.get(of(each)) ?? 0) + 1);
  return [...all.values()].toSorted((a, b) => b - a);
}

test("one crowd may have the whole line, and is turned away beyond it", () => {
  const line = new FairLine(3);
  for (let n = 0; n < 3; n++) assert.equal(line.add(waiter("ssh", "192.0.2.1")), undefined);
  const late = waiter("ssh", "192.0.2.1");
  assert.equal(line.add(late), late);
  assert.equal(line.size, 3);
});

test("a crowd at one service makes room for clients of the others, its newest first, until parts are equal", () => {
  const line = new FairLine(4);
  const crowd = Array.from({ length: 4 }, () => waiter("ssh", "192.0.2.1"));
  for (const each of crowd) line.add(each);
  assert.equal(line.add(waiter("web", "192.0.2.2")), crowd[3]);
  assert.equal(line.add(waiter("web", "192.0.2.2")), crowd[2]);
  const late = waiter("web", "192.0.2.3");
  line.add(late);
  assert.deepEqual(counts(line, ({ service }) => service), [2, 2]);
  assert.equal([...line].includes(late), true, "of its service the address with two made room");
});

test("an address that crowds a service makes room for others at the same", () => {
  const line = new FairLine(4);
  for (let n = 0; n < 10; n++) line.add(waiter("ssh", "192.0.2.1"));
  for (const site of ["192.0.2.2", "192.0.2.3", "192.0.2.4"]) {
    assert.notEqual(line.add(waiter("ssh", site))?.site, site);
  }
  assert.deepEqual(counts(line, ({ site }) => site), [1, 1, 1, 1]);
});

test("the next is who has the least load, of several who came first; who may not yet waits on", () => {
  const line = new FairLine<Waiter>(9);
  const [a, b, c] = [waiter("ssh", "a"), waiter("web", "b"), waiter("web", "c")];
  for (const each of [a, b, c]) line.add(each);
  const load = ({ service }: Waiter) => service === "ssh" ? Infinity : 1;
  assert.deepEqual([line.take(load), line.take(load), line.take(load)], [b, c, undefined]);
  assert.deepEqual([line.takeAll("web"), line.takeAll("ssh"), line.size], [[], [a], 0]);
});

test("whoever comes in whatever order: no service has over its part while another lacks of its own", () => {
  const comers = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 80 });
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), comers, (room, comers) => {
    const line = new FairLine<Waiter>(room);
    const came = new Map<string, number>();
    for (const [service, site] of comers) {
      line.add(waiter(`${service}`, `${site}`));
      came.set(`${service}`, (came.get(`${service}`) ?? 0) + 1);
      assert.ok(line.size <= room);
    }
    assert.equal(line.size, Math.min(room, comers.length));
    const held = (service: string) => [...line].filter((each) => each.service === service).length;
    for (const [poor, all] of came) {
      if (held(poor) === all) continue; // it has all it wanted
      for (const rich of came.keys()) assert.ok(held(rich) <= held(poor) + 1, `${rich} over ${poor}`);
    }
  }));
});
