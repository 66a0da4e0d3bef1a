import assert from "node:assert/strict";
import { AuditFile } from "../../app/audit/audit_file.ts";
import { AUDITED_REFUSALS } from "../../app/limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";
import type { ServerEvent } from "../events.ts";
import { type AuditSubject, ServerAudit } from "./server_audit.ts";

folderTest("strangers do not push out the rest of the audit, at a listener or at a host port", async (folder) => {
  const clock = new FakeClock();
  let tell: (event: ServerEvent) => void = () => {};
  const subject = {
    core: { settings: { clock }, registry: undefined },
    server: { subscribe: (fn: typeof tell) => (tell = fn, () => {}) },
    state: undefined,
  } as unknown as AuditSubject;
  const path = `${folder}/audit.log`;
  const audit = new ServerAudit(new AuditFile({ path, clock, logger: new RecordingLogger() }), subject);
  const end = (reason: string, bytes: number) =>
    tell({ type: "client-end", reason, bytesUp: bytes, bytesDown: 0, duration: 1 } as unknown as ServerEvent);
  const refused = (reason: string) => tell({ type: "refused", reason } as unknown as ServerEvent);
  for (let second = 0; second < 2; second++) {
    for (let n = 0; n < 1_000; n++) {
      end(n % 2 === 0 ? "not-allowed" : "client-closed", 0);
      refused("unknown-key");
      refused("mute");
    }
    for (let n = 0; n < 2 * AUDITED_REFUSALS; n++) end("client-closed", 1);
    clock.jump(1_000);
  }
  await audit.close();
  const lines = Deno.readTextFileSync(path).trim().split("\n").map((line) =>
    JSON.parse(line) as Record<string, unknown>
  );
  const count = (event: string, bytes?: number) =>
    lines.filter((line) => line["event"] === event && (bytes === undefined || line["bytesUp"] === bytes)).length;
  assert.deepEqual([count("client-end", 0), count("client-end", 1)], [2 * AUDITED_REFUSALS, 4 * AUDITED_REFUSALS]);
  assert.equal(count("refused"), 2 * AUDITED_REFUSALS);
  for (const event of ["client-end-more", "refused-more"]) {
    const counts = lines.filter((line) => line["event"] === event).map((line) => line["count"]);
    assert.deepEqual(counts, [1_000 - AUDITED_REFUSALS, 1_000 - AUDITED_REFUSALS]);
  }
});
