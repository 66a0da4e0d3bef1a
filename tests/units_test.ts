/**
 * The systemd units: a gateway that nobody can reach comes back by itself.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ExitCode } from "../app/exit_codes.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

/** The values of a key of a unit, in their order. */
function values(role: string, key: string): string[] {
  const text = Deno.readTextFileSync(new URL(`../examples/sallyport-${role}.service`, import.meta.url));
  return text.split("\n").filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

Deno.test("a unit starts its program again for ever, but for what trying again does not mend", checked, () => {
  for (const role of ["server", "device"]) {
    assert.deepEqual(values(role, "Restart"), ["always"]);
    assert.deepEqual(values(role, "StartLimitIntervalSec"), ["0"], "else a port in use ends it after five tries");
  }
  assert.deepEqual(values("server", "RestartPreventExitStatus"), [`${ExitCode.USAGE}`]);
  assert.deepEqual(values("device", "RestartPreventExitStatus"), [`${ExitCode.USAGE} ${ExitCode.REFUSED}`]);
});

Deno.test("a unit waits for its program's word, watches it, and runs it as a user that owns the state", checked, () => {
  for (const role of ["server", "device"]) {
    assert.deepEqual(values(role, "Type"), ["notify"]);
    assert.ok(Number(values(role, "WatchdogSec")[0]) >= 30, "a small machine may be busy for seconds");
    assert.deepEqual(values(role, "User"), ["sallyport"]);
    assert.deepEqual(values(role, "LimitCORE"), ["0"], "keys are in its memory");
    assert.deepEqual(values(role, "ExecStart"), [
      `/usr/local/bin/sallyport ${role} --config /etc/sallyport/${role}.toml`,
    ]);
  }
  for (const role of ["server", "device"]) {
    assert.match(values(role, "ExecReload")[0]!, /^\/bin\/sh /, "there is no /bin/kill on the smallest systems");
  }
});

Deno.test(
  "both units bar their programs from the same, but for ports below 1024, which a server may ask for",
  checked,
  () => {
    const hardening = ["ProtectSystem", "SystemCallFilter", "RestrictNamespaces", "NoNewPrivileges", "StateDirectory"];
    for (const key of hardening) {
      assert.notDeepEqual(values("server", key), []);
      assert.deepEqual(values("server", key), values("device", key), key);
    }
    assert.deepEqual(values("device", "CapabilityBoundingSet"), [""]);
    assert.deepEqual(values("server", "CapabilityBoundingSet"), ["CAP_NET_BIND_SERVICE"]);
  },
);
