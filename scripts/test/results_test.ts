import assert from "node:assert/strict";
import { filterOf, resultsOf } from "./results.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.008">
    <testsuite name="a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="fine &lt;a&gt; &amp; &quot;b&quot;" classname="a_test.ts" time="0.001" line="1" col="6">
        </testcase>
        <testcase name="left out &gt; here" classname="a_test.ts" time="0.000" line="2" col="6">
            <skipped/>
        </testcase>
        <testcase name="left out as well" classname="a_test.ts" time="0.000" line="2" col="6">
            <skipped/>
        </testcase>
        <testcase name="it&apos;s broken" classname="a_test.ts" time="0.000" line="3" col="6">
            <failure message="Uncaught Error: x ]]&gt; y">Error: x &lt;skipped/&gt;</failure>
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("a report and the words of skipped tests become names and reasons", STRICT, () => {
  const skips = `{"name":"left out > here","missing":["ssh","sshd"]}\n{"name":"not in this run","missing":["nc"]}\n`;
  assert.deepEqual(resultsOf(REPORT, skips), {
    passed: 1,
    failed: ["it's broken"],
    skipped: [{ name: "left out > here", missing: ["ssh", "sshd"] }, { name: "left out as well", missing: [] }],
  });
});

Deno.test("no report is nothing passed", STRICT, () => {
  assert.deepEqual(resultsOf("", ""), { passed: 0, failed: [], skipped: [] });
});

Deno.test("tests that a filter leaves out are not skipped tests", STRICT, () => {
  assert.deepEqual(resultsOf(REPORT, "", filterOf(["a_test.ts", "--filter", "as well"])).skipped.length, 1);
  assert.deepEqual(resultsOf(REPORT, "", filterOf(["--filter=/^left .* here$/"])).skipped.length, 1);
  assert.deepEqual(resultsOf(REPORT, "", filterOf(["--filter", "broken"])).skipped, []);
  assert.deepEqual(resultsOf(REPORT, "", filterOf(["--fail-fast"])).skipped.length, 2);
});
