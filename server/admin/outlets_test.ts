import assert from "node:assert/strict";
import { AuditFile } from "../../app/audit/audit_file.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { AUDITED_EVENTS } from "../audit/audited_events.ts";
import type { AdminContext } from "./context.ts";
import { Outlets } from "./outlets.ts";

folderTest("an audit says whether the server starts and ends with it, or only the audit", async (folder) => {
  const clock = new FakeClock();
  const subject = {
    core: { settings: { clock }, registry: undefined },
    server: { subscribe: () => () => {} },
    state: undefined,
  } as unknown as AdminContext;
  const path = `${folder}/audit.log`;
  const file = () => new AuditFile({ path, clock, logger: new RecordingLogger() });
  /** What stands in the file in the end. */
  const lines = async (outlets: Outlets) => {
    await outlets.close();
    const text = Deno.readTextFileSync(path);
    Deno.removeSync(path);
    const events = text.trim().split("\n").map((line) => (JSON.parse(line) as { event: string }).event);
    for (const event of events) assert.ok(AUDITED_EVENTS.includes(event), event);
    return events;
  };
  assert.deepEqual(await lines(new Outlets({ audit: file() }, subject)), ["server-start", "server-stop"]);

  const off = new Outlets({ audit: file() }, subject);
  off.setAudit(undefined);
  assert.deepEqual(await lines(off), ["server-start", "audit-stop"]);

  const on = new Outlets({}, subject);
  on.setAudit(file());
  assert.deepEqual(await lines(on), ["audit-start", "server-stop"]);
});
