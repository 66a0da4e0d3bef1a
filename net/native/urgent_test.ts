import assert from "node:assert/strict";
import { LOCAL } from "../_engines_fixture_test.ts";
import { socketCalls } from "./calls.ts";
import { nativeEngine } from "./engine.ts";
import { kernelAddress } from "../kernel/socket_address.ts";
import { pause, within } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const MSG_OOB = 1;
const calls = socketCalls();
const native = nativeEngine();

test("what comes behind urgent bytes, as telnet sends them, is not held back", async () => {
  const listener = native!.listen(LOCAL);
  const { bytes } = kernelAddress(listener.address);
  const fd = calls!.socket(2, 1, 0);
  assert.equal(calls!.connect(fd, bytes, bytes.length), 0);
  const server = await listener.accept();
  for (let n = 0; n < 20; n++) {
    for (const [text, flags] of [["abc", 0], ["!", MSG_OOB], ["def", 0]] as const) {
      const piece = new TextEncoder().encode(text);
      calls!.sendNow(fd, piece, piece.length, flags);
    }
    await pause(n % 3);
    let got = "";
    const into = new Uint8Array(100);
    while (!got.endsWith("def")) { // the kernel stops each read where urgent bytes are, and leaves those out
      const count = await within(Promise.resolve(server.read(into)), `what comes behind ${got}`, 2_000);
      got += new TextDecoder().decode(into.subarray(0, count!));
    }
    assert.equal(got, "abcdef");
  }
  calls!.close(fd);
  server.close();
  listener.close();
}, { ignore: !native });
