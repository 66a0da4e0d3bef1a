import assert from "node:assert/strict";
import { MAX_LOOKS } from "./limits.ts";
import { closeQuietly } from "./close_quietly.ts";
import { descriptorOf, noteSocket } from "./kernel/descriptors.ts";
import { canCut } from "./kernel/socket.ts";
import { PrefixedDuplex } from "./prefixed_duplex.ts";
import { resetQuietly } from "./reset.ts";
import { connected } from "./tls/_tls_fixture_test.ts";

function testNative(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true, ignore: !canCut() });
}

testNative("a connection behind bytes that were read already is forgotten when it is closed", async () => {
  // What the runtime has open may be more than what is looked at for a socket.
  const others = Array.from({ length: MAX_LOOKS + 50 }, () => Deno.openSync("/dev/null"));
  for (const close of [closeQuietly, resetQuietly]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { client, server } = await connected(listener);
    noteSocket(server);
    const fd = descriptorOf(server);
    close(new PrefixedDuplex(server, new Uint8Array(1)));
    // The number is free for the next one, which is found though the runtime does not say it.
    const next = await Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port });
    const accepted = await listener.accept();
    assert.equal(descriptorOf(next), fd);
    for (const each of [client, next, accepted]) closeQuietly(each);
  }
  for (const file of others) file.close();
});
