/**
 * `/v1/audit`: the newest lines of the audit.
 *
 * @module
 */

import { ApiError } from "../../app/admin/api_error.ts";
import { pageQuery } from "../../app/admin/pages.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, nullable, someOf, Type } from "../../app/admin/schema.ts";
import { AuditMoved, type AuditQuery, readAuditEnd } from "../../app/audit/read_end.ts";
import { ADMIN_PAGE } from "../../app/limits.ts";
import type { AdminContext } from "../admin/context.ts";
import { selected } from "../admin/device_routes.ts";
import { Selector } from "../admin/schemas.ts";
import { AUDITED_EVENTS } from "./audited_events.ts";

/** Cursors of the audit: its file, and a place in it. */
const CURSOR = "^[0-9]{1,20}-[0-9]{1,15}$";

/** Times, UTC. */
const TIME =
  "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,3})?Z$";

/** The route. */
export function auditRoutes(context: AdminContext): Route[] {
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/audit",
      id: "listAudit",
      summary: "The audit, newest first, as far as it is in the file that is written.",
      description: "A page may have fewer lines than there are, or none, and a cursor to go on with all the same.",
      query: closed({
        ...pageQuery(CURSOR),
        event: Type.Optional(someOf(AUDITED_EVENTS, "Only lines of these events, with commas between.")),
        device: Type.Optional(Selector),
        since: Type.Optional(
          Type.String({ pattern: TIME, description: "None from before this time, as in 2026-01-31T12:00:00Z." }),
        ),
      }),
      response: closed({
        items: Type.Array(Type.Object({}, { description: "A line: `time`, `event`, and what there is to say." })),
        cursor: nullable(Type.String(), "For older ones; null if there are none in this file, or none are asked for."),
        file: nullable(Type.String(), "Where it is written; null: this server writes none."),
      }, "Some of the lines."),
      async handle({ query }) {
        const { audit } = context.outlets;
        const wanted = queryOf(context, query);
        if (!audit) return { items: [], cursor: null, file: null };
        const { path: file } = audit.file;
        await audit.file.settled();
        try {
          const page = await readAuditEnd(file, wanted, context.core.settings.clock);
          return { items: page.lines, cursor: page.cursor ?? null, file };
        } catch (error) {
          throw error instanceof AuditMoved ? new ApiError("conflict", `query.cursor: ${error.message}`) : error;
        }
      },
    }),
  ];
}

/** What may be asked for. */
interface Asked {
  readonly limit?: number;
  readonly cursor?: string;
  readonly event?: string;
  readonly device?: string;
  readonly since?: string;
}

function queryOf(context: AdminContext, { limit = ADMIN_PAGE, cursor, event, device, since }: Asked): AuditQuery {
  const events = event?.split(",");
  const isMeant = device === undefined ? undefined : selected(context, device, "query.device");
  return {
    limit,
    cursor,
    since: since === undefined ? undefined : Date.parse(since),
    isWanted: (line) =>
      (!events || events.includes(String(line["event"]))) &&
      (!isMeant || typeof line["device"] === "string" && isMeant(line["device"])),
  };
}
