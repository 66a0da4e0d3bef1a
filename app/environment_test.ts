import assert from "node:assert/strict";
import { DEVICE_OPTIONS } from "../device/cli/config.ts";
import { SERVER_OPTIONS } from "../server/cli/config.ts";
import { OPTION_NAMES, strangeVariables } from "./environment.ts";
import { envName } from "./options.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test("the options of both roles are known to either, and no others", STRICT, () => {
  const all = new Set(["config", ...Object.keys(SERVER_OPTIONS), ...Object.keys(DEVICE_OPTIONS)]);
  assert.deepEqual([...OPTION_NAMES].sort(), [...all].sort());
  assert.deepEqual(strangeVariables([], OPTION_NAMES.map(envName)), []);
});

Deno.test("what looks like ours and is not is told, with what is most like it", STRICT, () => {
  const lines = strangeVariables(["further"], [
    ...[
      "SALLYPORT_FURTHER",
      "SALLYPORT_LOG-LEVEL",
      "SALLYPORT_PROXI",
      "SALLYPORT_XYZZYPLUGH",
      "sallyport_proxy",
      "PATH",
    ],
    ...["SALLYPORT_PORT", "SALLYPORT_TEST_SKIPS", "SALLYPORT_JOIN", "SALLYPORT_\u202eX"],
  ]);
  assert.deepEqual(lines.map((line) => /has (\S+), .*; (?:did you mean (\S+)\?)?/.exec(line)?.slice(1, 3)), [
    ["SALLYPORT_LOG-LEVEL", "SALLYPORT_LOG_LEVEL"],
    ["SALLYPORT_PORT", undefined],
    ["SALLYPORT_PROXI", "SALLYPORT_PROXY"],
    ["SALLYPORT_XYZZYPLUGH", undefined],
    ["SALLYPORT_\\u202eX", "SALLYPORT_CA"],
    ["sallyport_proxy", "SALLYPORT_PROXY"],
  ]);
});

Deno.test("what Kubernetes sets for a service of that name is no slip", STRICT, () => {
  const names = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_LINK", "PORT", "PORT_7443_TCP", "PORT_7443_TCP_PROTO"];
  for (const service of ["SALLYPORT", "SALLYPORT_RELAY"]) {
    assert.deepEqual(strangeVariables([], names.map((name) => `${service}_${name}`)), []);
  }
  assert.equal(strangeVariables([], ["SALLYPORT_SERVICE_PORT", "SALLYPORT_PORT"]).length, 2);
});
