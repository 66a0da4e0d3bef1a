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
