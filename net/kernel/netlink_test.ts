import assert from "node:assert/strict";
import fc from "fast-check";
import { canAsk, readWay, waysTo } from "./netlink.ts";
import { test } from "../../tests/rig/test.ts";

Deno.test({
  name: "the kernel says which way an address is reached, and which are this machine's own",
  ignore: !canAsk(),
  fn: () => {
    const [own, other, none] = waysTo(["127.0.0.1", "127.0.0.9", "no address"]);
    assert.equal(own?.isLocal, true);
    assert.equal(own?.source, "7f000001");
    assert.equal(own?.gateway, "");
    assert.equal(other?.device, own?.device);
    assert.equal(none, undefined);
  },
});

Deno.test({
  name: "many questions leave no descriptor open",
  ignore: !canAsk(),
  fn: () => {
    const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = open();
    for (let n = 0; n < 200; n++) waysTo(["127.0.0.1", "::1"]);
    assert.ok(open() <= before + 2);
  },
});

Deno.test({
  name: "many questions take no memory that has to be collected",
  ignore: !canAsk(),
  fn: () => {
    waysTo(["127.0.0.1"]);
    const before = Deno.memoryUsage().external;
    for (let n = 0; n < 50; n++) waysTo(["127.0.0.1", "127.0.0.2"]);
    const grown = Deno.memoryUsage().external - before;
    assert.ok(grown < 100_000, `${grown} bytes`);
  },
});

test("whatever a route says, it costs no error, and unreachable ones are no way", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    readWay(bytes);
  }));
  const unreachable = new Uint8Array(20);
  unreachable[7] = 7; // RTN_UNREACHABLE
  assert.equal(readWay(unreachable), undefined);
});
