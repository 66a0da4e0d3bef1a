/**
 * A TLS peer that takes small records only, as one with little memory does: a stock client of OpenSSL.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { LOCAL, writeAll } from "../_engines_fixture_test.ts";
import { systemClock } from "../../base/clock.ts";
import { tcpTransport } from "../transport.ts";
import { ALPN, ServerCertificate } from "../tls/listening.ts";
import { newKey } from "../tls/_tls_fixture_test.ts";
import { nativeEngine } from "./engine.ts";
import type { TlsSocket } from "../socket.ts";
import { noise } from "../../tests/rig/bytes.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { find } from "../../tests/rig/processes/programs.ts";
import { test } from "../../tests/rig/test.ts";

const engine = nativeEngine();
const ignore = !engine?.tls.binds || find("openssl") === undefined;

for (const size of [512, 1_024, 2_048, 4_096]) {
  test(`a peer that takes records of ${size} bytes is sent large and small writes, and every byte comes`, async () => {
    const log = new RecordingLogger();
    const source = { kind: "pinned", keyPair: await newKey() } as const;
    const certificate = await ServerCertificate.open(source, engine!.tls, systemClock, log);
    const came = Promise.withResolvers<TlsSocket>();
    const entrance = engine!.tls.entrance(certificate, systemClock, log, (_, tls) => came.resolve(tls));
    const listener = engine!.listen(LOCAL);
    const accepted = Promise.resolve(listener.accept()).then((socket) => entrance.enter(tcpTransport(socket)));
    const client = new Deno.Command("openssl", {
      args: [
        ...["s_client", "-connect", `127.0.0.1:${listener.address.port}`, "-alpn", ALPN, "-quiet"],
        ...["-maxfraglen", `${size}`],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    await accepted;
    const tls = await came.promise;
    await tls.handshake();
    const bytes = noise(600_000, size);
    const got = (async () => {
      const hash = createHash("sha256");
      let count = 0;
      for await (const part of client.stdout) {
        hash.update(part);
        count += part.length;
        if (count >= bytes.length + 5) break;
      }
      return hash.digest("hex");
    })();
    await writeAll(tls, bytes.subarray(0, 5));
    await writeAll(tls, bytes);
    const wanted = createHash("sha256").update(bytes.subarray(0, 5)).update(bytes).digest("hex");
    assert.equal(await got, wanted);
    const writer = client.stdin.getWriter();
    await writer.write(bytes.subarray(0, 3).map((byte) => 65 + byte % 26));
    const into = new Uint8Array(10);
    assert.equal(await tls.read(into), 3);
    tls.close();
    await client.status;
    await writer.close().catch(() => {}); // it has gone
    listener.close();
    entrance.close();
    certificate.close();
  }, { ignore });
}
