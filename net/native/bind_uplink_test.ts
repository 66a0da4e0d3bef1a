import assert from "node:assert/strict";
import { AF_INET, AF_INET6 } from "../kernel/libc.ts";
import { connectedEnds, LOCAL, never } from "../_engines_fixture_test.ts";
import { bindUplink, type OwnAddress } from "./bind_uplink.ts";
import { NativeEngine, nativeEngine } from "./engine.ts";
import { FakeKernel } from "./_kernel_fixture_test.ts";
import { errorCode } from "../../base/errors.ts";
import { test } from "../../tests/rig/test.ts";

const native = nativeEngine();
const ignore = !native;

test("who dials from an address comes from there", async () => {
  using ends = await connectedEnds(native!, native, { connect: { uplink: "127.0.0.9" } });
  assert.equal(ends.server.remoteAddress.host, "127.0.0.9");
  assert.equal(ends.client.localAddress.host, "127.0.0.9");
}, { ignore });

test("who dials by an interface comes by it", async () => {
  using ends = await connectedEnds(native!, native, { connect: { uplink: "lo" } });
  assert.equal(ends.server.remoteAddress.host, "127.0.0.1");
}, { ignore });

test("what is not there is said in a line, and nothing is left open", async () => {
  const listener = native!.listen(LOCAL);
  const cases: [uplink: string, says: RegExp, code: string | undefined][] = [
    ["192.0.2.77", /^this machine does not have that address now$/, "EADDRNOTAVAIL"],
    ["nosuch0", /^there is no such interface now$/, "ENODEV"],
    ["::1", /^it is an IPv6 address, and the other side's is IPv4$/, undefined],
  ];
  for (const [uplink, says, code] of cases) {
    await assert.rejects(native!.connect(listener.address, { signal: never, uplink }), (error) => {
      assert.match((error as Error).message, says);
      assert.equal(errorCode(error), code);
      return true;
    });
  }
  listener.close();
}, { ignore });

const EPERM = 1;
const ENOBUFS = 105;

test("whatever the system says to a socket that is to be bound, the socket is closed", async () => {
  const cases: [uplink: string, call: "bind" | "setsockopt", errno: number, says: RegExp][] = [
    ["127.0.0.9", "bind", ENOBUFS, /^Error: No buffer space available/],
    ["lo", "setsockopt", ENOBUFS, /^Error: No buffer space available/],
    [
      "lo",
      "setsockopt",
      EPERM,
      /^Error: this kernel lets only CAP_NET_RAW choose an interface .*; its address would do$/,
    ],
  ];
  for (const [uplink, call, errno, says] of cases) {
    const kernel = new FakeKernel();
    const engine = new NativeEngine(kernel);
    const before = kernel.open;
    Object.assign(kernel, { [call]: () => -1, errno: () => errno });
    await assert.rejects(engine.connect({ host: "127.0.0.1", port: 1 }, { signal: never, uplink }), says);
    assert.equal(kernel.open, before);
    assert.deepEqual(kernel.wrongCloses, []);
  }
});

test("an interface without an address of the family is not dialled by, as another one's address would be taken", () => {
  const kernel = new FakeKernel();
  const fd = kernel.socket();
  const own: OwnAddress[] = [{ name: "wwan0", family: "IPv4" }, { name: "eth0", family: "IPv6" }];
  bindUplink(kernel, fd, AF_INET, "wwan0", () => own);
  bindUplink(kernel, fd, AF_INET6, "eth0", () => own);
  assert.throws(
    () => bindUplink(kernel, fd, AF_INET6, "wwan0", () => own),
    /^Error: the interface has no IPv6 address$/,
  );
  assert.throws(() => bindUplink(kernel, fd, AF_INET, "eth0", () => own), /^Error: the interface has no IPv4 address$/);
  bindUplink(kernel, fd, AF_INET, "eth0", () => []); // they may not be looked at
});
