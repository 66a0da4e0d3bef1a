import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { PortClaims } from "./port_claims.ts";
import { type GrantedPlace, parseGrantedAddress } from "../devices/service_grant.ts";

/** Whether who asks for `b` hears of who has `a`. */
function clash(a: GrantedPlace, b: GrantedPlace): boolean {
  const claims = new PortClaims();
  claims.add("x", { name: "s", listen: a });
  assert.equal(claims.find(b, "x"), undefined, "one's own does not count");
  return claims.find(b) !== undefined;
}

test("two fixed ports clash on one host, and on all hosts of a family", () => {
  const both = (a: string, b: string) => {
    const [first, second] = [parseGrantedAddress(a), parseGrantedAddress(b)];
    assert.equal(clash(first, second), clash(second, first));
    return clash(first, second);
  };
  for (const a of ["0.0.0.0:1", "127.0.0.1:1", "[::]:1", "localhost:1"]) assert.ok(both(a, "0.0.0.0:1"), a);
  for (const a of ["[::1]:1", "127.0.0.1:1", "[0::0]:1"]) assert.ok(both(a, "[::]:1"), a);
  assert.ok(both("[::1]:1", "[0:0::1]:1"));
  assert.ok(both("LocalHost:1", "localhost:1"));
  assert.ok(!both("127.0.0.1:1", "127.0.0.2:1"));
  assert.ok(!both("0.0.0.0:1", "[::1]:1"));
  assert.ok(!both("0.0.0.0:1", "0.0.0.0:2"));
  assert.ok(!both("0.0.0.0:0", "0.0.0.0:0"));
  assert.ok(!both("0.0.0.0:1", "0.0.0.0:1-5"));
  assert.ok(both("0.0.0.0:1", "0.0.0.0:1-5,each"));
  assert.ok(both("127.0.0.1:3-9,each", "127.0.0.1:1-5,each"));
  assert.ok(!both("127.0.0.1:6-9,each", "127.0.0.1:1-5,each"));
  assert.ok(both("unix:/run/a,mode=0660", "unix:/run/a,group=ssh"));
  assert.ok(!both("unix:/run/a", "unix:/run/A"));
  assert.ok(!both("unix:/run/a", "0.0.0.0:1"));
});

test("among any number of claims that one is found which clashes, whoever else has the port", () => {
  const host = fc.constantFrom("0.0.0.0", "[::]", "127.0.0.1", "[::1]", "[0::1]", "localhost", "LOCALHOST", "[0::0]");
  const address = fc.tuple(host, fc.constantFrom("0", "1", "2", "1-5"))
    .map(([host, port]) => parseGrantedAddress(`${host}:${port}`));
  const claimed = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), address), { maxLength: 5 });
  fc.assert(fc.property(claimed, address, fc.constantFrom("a", "d"), (all, wanted, asker) => {
    const claims = new PortClaims();
    for (const [device, listen] of all) claims.add(device, { name: "s", listen });
    const found = claims.find(wanted, asker);
    assert.equal(found !== undefined, all.some(([device, listen]) => device !== asker && clash(listen, wanted)));
    assert.ok(!found || found.device !== asker && clash(found.service.listen, wanted));
  }));
});
