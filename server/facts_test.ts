import assert from "node:assert/strict";
import { ConfigError } from "../app/config_error.ts";
import { devicesFile, readFacts, type ServerFacts, writeFacts } from "./facts.ts";
import { test } from "./_state_fixture_test.ts";

test("the commands beside a server know what it said last", async (folder) => {
  assert.equal(await readFacts(folder), undefined);
  const facts: ServerFacts = {
    addresses: [{ host: "0.0.0.0", port: 7443 }, { host: "::1", port: 1 }],
    security: "pki",
  };
  await writeFacts(folder, facts);
  assert.deepEqual(await readFacts(folder), facts);
  await writeFacts(folder, { ...facts, devices: "/etc/sallyport/devices.toml" });
  assert.equal(devicesFile(folder, undefined, await readFacts(folder)), "/etc/sallyport/devices.toml");
  assert.equal(devicesFile(folder, "given", await readFacts(folder)), "given");
  assert.equal(devicesFile(folder, undefined), `${folder}/devices.toml`);
});

test("damaged facts are an error with their place", async (folder) => {
  await writeFacts(folder, { addresses: [], security: "plain" });
  const path = `${folder}/server.toml`;
  await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("plain", "plane"));
  await assert.rejects(readFacts(folder), (error) => {
    return error instanceof ConfigError && error.message.startsWith(`${path}:3:1: "security": "plane" is none of`);
  });
});
