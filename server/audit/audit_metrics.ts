/**
 * What an audit counts of itself.
 *
 * @module
 */

import type { AuditFile } from "../../app/audit/audit_file.ts";
import type { Registry } from "../../app/metrics/registry.ts";

/** Adds it; without an audit all is 0. */
export function addAuditMetrics(registry: Registry, audit: () => AuditFile | undefined): void {
  registry.value("counter", {
    name: "sallyport_audit_lines_total",
    help: "Lines of the audit that were written.",
  }, () => audit()?.written ?? 0);
  registry.value("counter", {
    name: "sallyport_audit_lines_lost_total",
    help: "Lines of the audit that could not be written, nor be kept.",
  }, () => audit()?.lost ?? 0);
}
