/**
 * The line of a command that changes files beside a daemon.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { type AuditFacts, auditLine } from "./line.ts";
import { addLine } from "./open_log.ts";

/**
 * Adds a line about what a command has done to the audit at `path`, if there is one.
 *
 * @returns a line for people if it could not: what was done stays done.
 */
export function auditCommand(path: string | undefined, facts: AuditFacts): string | undefined {
  if (path === undefined) return undefined;
  try {
    if (addLine(path, auditLine(systemClock.wall(), { ...facts, by: whoRuns() }))) return undefined;
    return `the audit ${path} is not there, so this is not in it`;
  } catch (error) {
    return `this is not in the audit ${path}: ${describeError(error)}`;
  }
}

/** Who runs this process: by number, and, through sudo, by the name of whoever asked for it. */
function whoRuns(): Record<string, unknown> {
  let uid: number | null = null;
  try {
    uid = Deno.uid();
  } catch {
    // not permitted
  }
  return { via: "command", uid, sudoUser: Deno.env.get("SUDO_USER") };
}
