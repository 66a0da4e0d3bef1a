/**
 * Schemathesis asks both admin APIs, by TCP and with the token, whatever their OpenAPI documents allow and forbid: every
 * answer has to be one that the document has.
 *
 * @module
 */

import assert from "node:assert/strict";
import { adminClient } from "../../app/admin/client.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { schemathesis } from "../rig/processes/python.ts";
import { echoRelay } from "../rig/processes/relay.ts";
import { TempFolder } from "../rig/temp_folder.ts";

const TOKEN = "a-token-of-an-api-that-is-asked-anything";

/** What cannot be left out, as it takes away what others need. */
const ENDS_THE_DEVICE = ["revokeDevice", "renameDevice", "disableDevice", "expireDevice"];

/**
 * Acts that take texts with a grammar of their own, such as networks, services and dates: that such a text means nothing is
 * said with 400, which a schema cannot foresee.
 */
const TEXTS = ["connectDevice", "openService", "expireDevice", "enroll", "putService"];

/** What is not as schemathesis expects it of all APIs. A stream has no end, and has tests of its own. */
const CONFIG = `
cache.enabled = false
headers = { Authorization = "Bearer ${TOKEN}" }

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]

[[operations]]
include-operation-id = ${JSON.stringify(TEXTS)}
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 409]

[[operations]]
include-path-regex = "/v1/(history/)?devices/"
exclude-operation-id = ${JSON.stringify(ENDS_THE_DEVICE)}
parameters = { "path.name" = "gw1" }
`;

/** Asks an API, and demands that nothing is wrong. */
async function fuzz(folder: string, address: string): Promise<void> {
  using client = adminClient({ address, token: TOKEN });
  await Deno.writeTextFile(`${folder}/openapi.json`, JSON.stringify(await client.get("/v1/openapi.json")));
  await Deno.writeTextFile(`${folder}/schemathesis.toml`, CONFIG);
  const command = schemathesis(
    ...["--config-file", `${folder}/schemathesis.toml`, "run", `${folder}/openapi.json`],
    ...["--url", `http://${address}`],
    ...["--checks", "all", "--max-examples", "12", "--seed", "7", "--generation-deterministic"],
    ...["--exclude-operation-id", "streamEvents", "--request-timeout", "10"],
    ...["--continue-on-failure", "--no-color"],
  );
  await using asking = Child.start("schemathesis", command);
  const code = await asking.exited;
  const said = asking.stdout.join("\n");
  assert.equal(code, 0, said);
  assert.match(said, /\n {2}Tested: (1[0-9]|[2-9][0-9])\n/, said);
  assert.deepEqual(await client.get("/v1/health"), { ok: true });
}

/** How a daemon is started for it. */
async function withApi(folder: string): Promise<string[]> {
  await Deno.writeTextFile(`${folder}/token`, `${TOKEN}\n`, { mode: 0o600 });
  return ["--admin", "127.0.0.1:0", "--admin-token-file", `${folder}/token`];
}

for (const role of ["server", "device"] as const) {
  processTest(
    `whatever the API of a ${role} is asked, its document says how it answers`,
    ["schemathesis"],
    async () => {
      using folder = new TempFolder();
      await using echo = await echoRelay({ [role]: await withApi(folder.path) });
      const { child } = echo.relay[role];
      const [, address] = await child.line(/^admin (\S+)$/);
      await fuzz(folder.path, address!);
      assert.deepEqual(echo.relay[role].log.filter(({ level }) => level === "error"), []);
    },
  );
}
