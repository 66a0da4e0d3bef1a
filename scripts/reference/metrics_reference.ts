/**
 * `deno run -A scripts/reference/metrics_reference.ts`: writes docs/reference/metrics.md anew from the metrics of the
 * program; `tests/docs_test.ts` demands that they agree.
 *
 * @module
 */

import { METRICS_PAGE, metricsPage } from "../../tests/rig/metrics_reference.ts";

Deno.writeTextFileSync(METRICS_PAGE, await metricsPage());
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", METRICS_PAGE] }).output();
