import assert from "node:assert/strict";
import { ConfigError } from "../../app/toml/config_error.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { silentLogger } from "../../base/logger.ts";
import { devicesFile, readFacts, type ServerFacts, writeFacts } from "./facts.ts";
import { openV2State } from "./state.ts";
import { folderTest } from "../../tests/rig/test.ts";

folderTest("the commands beside a server know what it said last", async (folder) => {
  assert.equal(await readFacts(folder), undefined);
  const facts: ServerFacts = {
    addresses: [{ host: "0.0.0.0", port: 7443 }, { host: "::1", port: 1 }],
    security: "pki",
    certificate: "/etc/ssl/relay.pem",
  };
  await writeFacts(folder, facts);
  assert.deepEqual(await readFacts(folder), facts);
  await writeFacts(folder, { ...facts, devices: "/etc/sallyport/devices.toml" });
  assert.equal(devicesFile(folder, undefined, await readFacts(folder)), "/etc/sallyport/devices.toml");
  assert.equal(devicesFile(folder, "given", await readFacts(folder)), "given");
  assert.equal(devicesFile(folder, undefined), `${folder}/devices.toml`);
});

folderTest(
  "a second server with the same state does not change where devices are told to dial, and says so",
  async (folder) => {
    const first = await openV2State(folder, undefined, silentLogger);
    const log = new RecordingLogger();
    try {
      await first.announce(["127.0.0.1:1"], "pinned");
      const second = await openV2State(folder, undefined, log);
      await second.announce(["127.0.0.1:2"], "plain");
      await second.close();
    } finally {
      await first.close();
    }
    const facts: ServerFacts = { addresses: [{ host: "127.0.0.1", port: 1 }], security: "pinned" };
    assert.deepEqual(await readFacts(folder), facts);
    assert.match(
      log.lines.join("\n"),
      /^warn another server runs with the state in .*enroll goes on to name where that one/,
    );
    assert.equal(log.lines.length, 1);
    const third = await openV2State(folder, undefined, silentLogger);
    await third.announce(["127.0.0.1:3"], "pinned");
    await third.close();
    assert.deepEqual((await readFacts(folder))?.addresses, [{ host: "127.0.0.1", port: 3 }]);
  },
);

folderTest("damaged facts are an error with their place", async (folder) => {
  await writeFacts(folder, { addresses: [], security: "plain" });
  const path = `${folder}/server.toml`;
  await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("plain", "plane"));
  await assert.rejects(readFacts(folder), (error) => {
    return error instanceof ConfigError && error.message.startsWith(`${path}:3:1: "security": "plane" is none of`);
  });
});
