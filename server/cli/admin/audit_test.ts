import assert from "node:assert/strict";
import { AdminRefusal } from "../../../app/admin/client.ts";
import { test } from "../../../tests/rig/test.ts";
import { newest } from "./audit.ts";

/** An API whose answers are these, one after the other. */
function api(...answers: unknown[]) {
  return {
    get<T>(): Promise<T> {
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as T);
    },
  };
}

const page = { items: [{ event: "act" }], cursor: "1-1", file: "/var/log/audit.log" };

test("an audit that is put aside between two pages is shown as far as it was read", async () => {
  const moved = new AdminRefusal(409, "conflict", "query.cursor: the audit file was put aside; begin anew");
  assert.deepEqual(await newest(api(page, page, moved), new URLSearchParams(), 9), {
    lines: [{ event: "act" }, { event: "act" }],
    file: "/var/log/audit.log",
    moved: true,
  });
  await assert.rejects(newest(api(moved), new URLSearchParams(), 9), AdminRefusal, "nothing was read before");
  const other = new AdminRefusal(503, "too-busy", "come again");
  await assert.rejects(newest(api(page, other), new URLSearchParams(), 9), AdminRefusal);
});
