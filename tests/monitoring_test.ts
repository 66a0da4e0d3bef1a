/**
 * The files for Prometheus and Grafana: what they name is there, and Prometheus takes them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { processTest } from "./rig/processes/harness.ts";
import { serverFamilies } from "./rig/metrics_reference.ts";
import { test } from "./rig/test.ts";

const FOLDER = "examples/monitoring";

test("every metric that the alerts and the dashboard name is one of a server's", async () => {
  const known = new Set(
    (await serverFamilies()).flatMap(({ facts: { name }, kind }) =>
      kind === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name]
    ),
  );
  for (const file of ["alerts.yml", "alerts_test.yml", "dashboard.json"]) {
    const text = Deno.readTextFileSync(`${FOLDER}/${file}`);
    const named = new Set(text.match(/\b(?:sallyport|process)_[a-z_]+/g));
    assert.ok(named.size > 4, file);
    assert.deepEqual([...named].filter((name) => !known.has(name)), [], file);
  }
});

processTest(
  "Prometheus takes the rules and its example, and the alerts go off when they should",
  ["promtool"],
  async () => {
    for (
      const args of [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"], [
        "check",
        "config",
        "prometheus.yml",
      ]]
    ) {
      const { success, stderr, stdout } = await new Deno.Command("promtool", { args, cwd: FOLDER }).output();
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert.ok(success, `${args.join(" ")}: ${said}`);
    }
  },
);
