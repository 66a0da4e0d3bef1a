import assert from "node:assert/strict";
import { ConfigError } from "../../app/toml/config_error.ts";
import { statPath } from "../../app/files/private_folder.ts";
import { loadIdentity } from "../../app/files/state.ts";
import { systemCalls } from "../../net/kernel/system_calls.ts";
import { confirmFile } from "../cli/confirm.ts";
import { consentToLoss, readConsent, reserveConsent } from "../devices/consent.ts";
import { readDevices } from "../devices/edits.ts";
import { key } from "../devices/_state_fixture_test.ts";
import { Enrolments } from "./enrolments.ts";
import { readEnrolments } from "./enrolment_store.ts";
import { readFacts } from "./facts.ts";
import { hasRun, readLiveState } from "./live_state.ts";

const OTHER = 65_534;
const isRoot = Deno.build.os === "linux" && Deno.uid() === 0 && systemCalls() !== undefined;

/** What root's commands ask of a state, by what does it. */
const ASKS: Record<string, (folder: string) => unknown> = {
  statPath: (folder) => statPath(`${folder}/enrolments.toml`),
  hasRun,
  readLiveState,
  readFacts,
  readDevices: (folder) => readDevices(`${folder}/devices.toml`),
  readEnrolments,
  readConsent,
  reserveConsent,
  consentToLoss: (folder) => consentToLoss(folder, key(1)),
  loadIdentity,
  waiting: (folder) => new Enrolments(folder, `${folder}/devices.toml`).waiting(),
  confirmFile: (folder) => confirmFile(folder, `${folder}/devices.toml`),
};

for (const [what, ask] of Object.entries(ASKS)) {
  Deno.test({
    name: `what its user's links hide from root is told in one line, whatever asks for it: ${what}`,
    ignore: !isRoot,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      const top = await Deno.makeTempDir();
      try {
        await Deno.chmod(top, 0o755);
        await Deno.mkdir(`${top}/roots`, { mode: 0o700 });
        await Deno.mkdir(`${top}/theirs`, { mode: 0o700 });
        await Deno.chown(`${top}/theirs`, OTHER, OTHER);
        const folder = `${top}/theirs/server`;
        await Deno.symlink(`${top}/roots`, folder);
        assert.ok((await new Deno.Command("chown", { args: ["-h", `${OTHER}`, folder] }).output()).success);
        await assert.rejects(async () => await ask(folder), (error) => {
          assert.ok(error instanceof ConfigError, String(error));
          assert.match(
            error.message,
            /^Cannot [a-z ]+ \S+: user 65534, who has \S+ in hand, may not, and root does not/,
          );
          return true;
        });
      } finally {
        await Deno.remove(top, { recursive: true });
      }
    },
  });
}
