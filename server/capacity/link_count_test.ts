import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import type { ServerEvent } from "../events.ts";
import { LinkCount } from "./link_count.ts";

/** Events of some devices, with what the count reads of them. */
function after(...events: [type: string, device: string][]): string {
  const count = new LinkCount();
  for (const [type, device] of events) count.take({ type, device } as ServerEvent);
  return count.describe(1);
}

test("links are counted as they come, are interrupted, go on and end", () => {
  assert.equal(after(), "0 devices, 1 client");
  assert.equal(after(["link-up", "a"], ["link-up", "b"]), "2 devices, 1 client");
  assert.equal(after(["link-up", "a"], ["link-interrupted", "a"]), "0 devices, 1 interrupted, 1 client");
  assert.equal(after(["link-up", "a"], ["link-interrupted", "a"], ["link-resumed", "a"]), "1 device, 1 client");
  assert.equal(
    after(["link-up", "a"], ["link-resumed", "a"]),
    "1 device, 1 client",
    "it moved without an interruption",
  );
  assert.equal(after(["link-up", "a"], ["link-interrupted", "a"], ["link-down", "a"]), "0 devices, 1 client");
  assert.equal(after(["link-up", "a"], ["link-up", "b"], ["link-down", "a"]), "1 device, 1 client");
});

test("a device that is renamed while its session waits comes back, and ends, by its new name", () => {
  const count = new LinkCount();
  const take = (type: string, device: string) => count.take({ type, device } as ServerEvent);
  const rename = (...names: [before: string, after: string][]) =>
    count.devicesChanged(
      { changed: names.map(([before, after]) => ({ before: { name: before }, after: { name: after } })) } as never,
    );
  for (const device of ["a", "b", "c"]) {
    take("link-up", device);
    if (device !== "c") take("link-interrupted", device);
  }
  rename(["a", "b"], ["b", "a"], ["c", "d"]);
  assert.deepEqual([count.linked, count.interrupted], [1, 2]);
  take("link-resumed", "b");
  take("link-down", "a");
  assert.deepEqual([count.linked, count.interrupted], [2, 0]);
  take("link-down", "b");
  take("link-down", "d");
  assert.deepEqual([count.linked, count.interrupted], [0, 0]);
});

test("a device that gets the name of one that is about to end is another one", () => {
  const count = new LinkCount();
  const take = (type: string, device: string) => count.take({ type, device } as ServerEvent);
  for (const device of ["a", "b"]) {
    take("link-up", device);
    take("link-interrupted", device);
  }
  count.devicesChanged({ changed: [{ before: { name: "b" }, after: { name: "a" } }] } as never);
  take("link-down", "a"); // of the one that was removed
  assert.deepEqual([count.linked, count.interrupted], [0, 1]);
  take("link-resumed", "a");
  assert.deepEqual([count.linked, count.interrupted], [1, 0]);
});
