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

/** What takes away what others need. */
const ENDS_THE_DEVICE = ["revokeDevice", "renameDevice", "disableDevice", "expireDevice"];

/**
 * Acts that take texts with a grammar of their own, such as networks, services and dates: that such a text means nothing is
 * said with 400, which a schema cannot foresee.
 */
const TEXTS = ["connectDevice", "openService", "expireDevice", "enroll", "putService", "grantService", "moveService"];

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
parameters = { "path.name" = "gw1" }
`;

/** What is about its services. */
const OF_SERVICES = ["grantService", "moveService", "withdrawService", "openService", "closeService", "connectDevice"];

/** What is asked in one run, so that none takes long. */
interface Part {
  readonly role: "server" | "device";
  readonly what: string;
  /** Whether an operation is in it. */
  isMeant(method: string, path: string, id: string): boolean;
}

const PARTS: readonly Part[] = [
  {
    role: "server",
    what: "what can be seen",
    isMeant: (method, _path, id) => method === "get" && id !== "streamEvents",
  },
  {
    role: "server",
    what: "acts on a device",
    isMeant: (method, path, id) =>
      method !== "get" && path.startsWith("/v1/devices/") && ![...ENDS_THE_DEVICE, ...OF_SERVICES].includes(id),
  },
  { role: "server", what: "acts on services", isMeant: (_method, _path, id) => OF_SERVICES.includes(id) },
  {
    role: "server",
    what: "acts on the whole, and those that end a device",
    isMeant: (method, path, id) =>
      method !== "get" && (!path.startsWith("/v1/devices/") || ENDS_THE_DEVICE.includes(id)),
  },
  { role: "device", what: "everything", isMeant: (_method, _path, id) => id !== "streamEvents" },
];

/** Asks an API, and demands that nothing is wrong. */
async function fuzz(folder: string, address: string, { isMeant }: Part): Promise<void> {
  using client = adminClient({ address, token: TOKEN });
  const document = await client.get<{ paths: Record<string, Record<string, { operationId: string }>> }>(
    "/v1/openapi.json",
  );
  const ids = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).filter(([method, { operationId }]) => isMeant(method, path, operationId))
      .map(([, { operationId }]) => operationId)
  );
  await Deno.writeTextFile(`${folder}/openapi.json`, JSON.stringify(document));
  await Deno.writeTextFile(`${folder}/schemathesis.toml`, CONFIG);
  const command = schemathesis(
    ...["--config-file", `${folder}/schemathesis.toml`, "run", `${folder}/openapi.json`],
    ...["--url", `http://${address}`, "--include-operation-id-regex", `^(${ids.join("|")})$`],
    ...["--checks", "all", "--phases", "coverage,fuzzing", "--max-examples", "6", "--generation-deterministic"],
    ...["--request-timeout", "10", "--continue-on-failure", "--no-color"],
  );
  await using asking = Child.start("schemathesis", command);
  const code = await asking.exited;
  const said = asking.stdout.join("\n");
  assert.equal(code, 0, said);
  assert.match(said, new RegExp(`\n {2}Tested: ${ids.length}\n`), said);
  assert.deepEqual(await client.get("/v1/health"), { ok: true });
}

/** How a daemon is started for it. */
async function withApi(folder: string): Promise<string[]> {
  await Deno.writeTextFile(`${folder}/token`, `${TOKEN}\n`, { mode: 0o600 });
  return ["--admin", "127.0.0.1:0", "--admin-token-file", `${folder}/token`];
}

for (const part of PARTS) {
  const { role, what } = part;
  processTest(
    `whatever the API of a ${role} is asked, its document says how it answers: ${what}`,
    ["schemathesis"],
    async () => {
      using folder = new TempFolder();
      await using echo = await echoRelay({ [role]: await withApi(folder.path) });
      const { child } = echo.relay[role];
      const [, address] = await child.line(/^admin (\S+)$/);
      await fuzz(folder.path, address!, part);
      assert.deepEqual(echo.relay[role].log.filter(({ level }) => level === "error"), []);
    },
  );
}
