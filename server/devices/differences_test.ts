import assert from "node:assert/strict";
import fc from "fast-check";
import { atOnce } from "../../base/slices.ts";
import { test } from "../../tests/rig/test.ts";
import { DEVICES_A_CHANGE } from "../limits.ts";
import { type DevicesChange, findChanges, renamedIn } from "./differences.ts";
import type { DevicesFound } from "./reader.ts";
import { PortClaims } from "../ports/port_claims.ts";

/** A file: names of devices by the number of their key. */
type File = readonly (readonly [name: string, key: number])[];

function found(file: File): DevicesFound {
  const devices = file.map(([name, n]) => ({ name, key: `${n}`, services: [], disabled: false }));
  return {
    devices,
    byKey: new Map(devices.map((device) => [device.key, device])),
    byName: new Map(devices.map((device) => [device.name, device])),
    claims: new PortClaims(),
    defaults: {},
  };
}

function changes(before: File, after: File): DevicesChange[] {
  return atOnce(findChanges(found(before), found(after)));
}

/** `count` devices, of which each `rename` has another name. */
function fleet(count: number, rename: (n: number) => string = nameOf): File {
  return Array.from({ length: count }, (_, n) => [rename(n), n]);
}

function nameOf(n: number): string {
  return `gw${n}`;
}

test("two devices that have each other's name are in one piece, however large an edit is and far apart they stand", () => {
  const last = 200 - 1;
  const swapped = (n: number) => n === 0 ? nameOf(last) : n === last ? nameOf(0) : `new${n}`;
  const pieces = changes(fleet(200), fleet(200, swapped));
  assert.ok(pieces.length >= 200 / DEVICES_A_CHANGE, `${pieces.length} pieces`);
  const piece = pieces.find((each) => renamedIn(each).some(([before]) => before === nameOf(0)))!;
  assert.deepEqual(renamedIn(piece).slice(0, 2), [[nameOf(0), nameOf(last)], [nameOf(last), nameOf(0)]]);
});

test("a name that is given up and one that is taken are told together; each device is told of once", () => {
  const keys = fc.uniqueArray(fc.nat(250), { minLength: 150, maxLength: 250 });
  const files = fc.tuple(keys, keys, fc.nat(250)).map(([one, other, shift]): [File, File] => [
    one.map((n) => [nameOf(n), n]),
    other.map((n) => [nameOf(n % 3 === 0 ? n : (n + 3 * shift) % 251), n]),
  ]);
  fc.assert(fc.property(files, ([before, written]) => {
    const names = new Set<string>();
    const after = written.filter(([name]) => !names.has(name) && names.add(name));
    const told: string[] = [];
    const named = new Map(before); // as somebody has it who hears of one piece after the other
    for (const { added, removed, changed } of changes(before, after)) {
      const gone = [...removed, ...changed.map((each) => each.before)];
      const come = [...added, ...changed.map((each) => each.after)];
      for (const { name } of gone) named.delete(name);
      for (const { name, key } of come) {
        assert.ok(!named.has(name), `${name} is still somebody else's`);
        named.set(name, Number(key));
      }
      told.push(...added.map(({ key }) => key), ...removed.map(({ key }) => key), ...changed.map((c) => c.after.key));
    }
    assert.equal(new Set(told).size, told.length);
    assert.deepEqual(new Map([...named].sort()), new Map([...after].sort() as [string, number][]));
  }));
});
