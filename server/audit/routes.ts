/**
 * `/v1/audit`: the newest lines of the audit.
 *
 * @module
 */

import { ApiError } from "../../app/admin/api_error.ts";
import { pageQuery } from "../../app/admin/pages.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, nullable, Type } from "../../app/admin/schema.ts";
import { AuditMoved, readAuditEnd } from "../../app/audit/read_end.ts";
import { ADMIN_PAGE } from "../../app/limits.ts";
import type { AdminContext } from "../admin/context.ts";

/** Cursors of the audit: its file, and a place in it. */
const CURSOR = "^[0-9]{1,20}-[0-9]{1,15}$";

/** The route. */
export function auditRoutes({ outlets }: AdminContext): Route[] {
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/audit",
      id: "listAudit",
      summary:
        "The audit, newest first, as far as it is in the file that is written; of a server without one, nothing.",
      query: closed(pageQuery(CURSOR)),
      response: closed({
        items: Type.Array(Type.Object({}, { description: "A line: `time`, `event`, and what there is to say." })),
        cursor: nullable(Type.String(), "For older ones; null at the beginning of the file."),
      }, "Some of the lines."),
      async handle({ query: { limit = ADMIN_PAGE, cursor } }) {
        const { audit } = outlets;
        if (!audit) return { items: [], cursor: null };
        await audit.file.settled();
        try {
          const page = await readAuditEnd(audit.file.path, limit, cursor);
          return { items: page.lines, cursor: page.cursor ?? null };
        } catch (error) {
          throw error instanceof AuditMoved ? new ApiError("conflict", `query.cursor: ${error.message}`) : error;
        }
      },
    }),
  ];
}
