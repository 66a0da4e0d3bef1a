import assert from "node:assert/strict";
import { keptPort, KeptPorts } from "./kept_ports.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

Deno.test(
  "a port is kept from others for as long as somebody keeps it, and goes where its device goes",
  checked,
  () => {
    const told: string[] = [];
    const ports = new KeptPorts((key, port) => told.push(`${key}: ${port}`));
    let name = "gw1";
    const mine = keptPort(ports, () => name, "ssh");
    const other = keptPort(ports, () => "gw2", "ssh");
    mine.set(2201);
    assert.deepEqual([mine.get(), other.get()], [2201, undefined]);
    assert.deepEqual([mine.isKeptByOther!(2201), other.isKeptByOther!(2201)], [false, true]);
    ports.rename([["gw1", "gw3"]]);
    assert.equal(mine.get(), undefined);
    name = "gw3";
    assert.deepEqual([mine.get(), other.isKeptByOther!(2201)], [2201, true]);
    ports.forget("gw3");
    assert.deepEqual([mine.get(), other.isKeptByOther!(2201)], [undefined, false]);
    assert.deepEqual(told, ["gw1 ssh: 2201", "gw1 ssh: undefined", "gw3 ssh: 2201", "gw3 ssh: undefined"]);
  },
);

Deno.test("devices that change names with each other keep their ports", () => {
  const ports = new KeptPorts();
  ports.set("a", "ssh", 2201);
  ports.set("b", "ssh", 2202);
  ports.rename([["a", "b"], ["b", "a"]]);
  assert.deepEqual([ports.get("a", "ssh"), ports.get("b", "ssh")], [2202, 2201]);
});
