/**
 * The reference of the admin API: `scripts/reference/api_reference.ts` writes it from the schemas, a test demands that it
 * agrees.
 *
 * @module
 */

import { ERROR_STATUS } from "../../app/admin/api_error.ts";
import type { Route } from "../../app/admin/route.ts";
import type { TSchema } from "../../app/admin/schema.ts";
import { adminContext } from "../../server/admin/admin.ts";
import { adminRoutes } from "../../server/admin_routes.ts";
import type { AdminContext } from "../../server/admin/context.ts";
import { startServer } from "../../server/server.ts";
import { deviceApiRoutes } from "../../device/admin/routes.ts";
import type { DeviceContext } from "../../device/admin/context.ts";
import { engineChoice } from "./engine.ts";

/** Where it is. */
export const API_PAGE = "docs/reference/api.md";

/** The same of a device. */
export const DEVICE_API_PAGE = "docs/reference/device-api.md";

/** The routes of a device, of which none is asked. */
export function deviceRoutes(): Route[] {
  return deviceApiRoutes({} as DeviceContext);
}

/** The routes of a server. */
export function serverRoutes(): Promise<Route[]> {
  return ofServer(adminRoutes);
}

/** What `read` finds in a server's API; it runs for a moment. */
export async function ofServer<T>(read: (context: AdminContext) => T): Promise<T> {
  const { handle, core } = startServer({
    engine: engineChoice,
    listen: [{ profile: "v1", address: { host: "127.0.0.1", port: 0 }, forwards: [] }],
  });
  try {
    await handle.ready;
    return read(adminContext({ server: handle, core, state: undefined }));
  } finally {
    handle.close();
    await handle.closed;
  }
}

/** The page, before it is formatted. */
export function apiPage(routes: readonly Route[], whose = "server"): string {
  const toc = routes.map(({ method, path, summary }) => `| \`${method} ${path}\` | ${cell(summary)} |`);
  const codes = Object.entries(ERROR_STATUS).map(([code, status]) => `| \`${code}\` | ${status} |`);
  return [
    `# The admin API of a ${whose}`,
    "",
    "Made from the schemas of the program by `scripts/reference/api_reference.ts`; how to use it is in [admin.md](../operate/admin.md). The",
    "same as an OpenAPI 3.1 document: `GET /v1/openapi.json`. Times of day are texts, as in `2026-01-31T12:00:00.000Z`;",
    "spans are milliseconds; what is not known is `null`.",
    "",
    "| request | what it does |",
    "| --- | --- |",
    ...toc,
    "",
    "## Errors",
    "",
    'An answer that is an error has the body `{"error": {"code": "…", "message": "…"}}`: a code for programs, and a line',
    "for people. Of a mistake in a file, whoever asks by the Unix socket has `excerpt` beside them: the line, and a caret.",
    "",
    "| code | status |",
    "| --- | --- |",
    ...codes,
    "",
    ...routes.flatMap(section),
  ].join("\n");
}

function section(route: Route): string[] {
  const { method, path, summary, description, params, query, body, response, run, open } = route;
  return [
    `## ${method} ${path}`,
    "",
    `${summary}${description ? ` ${description}` : ""}${open ? " It takes no token." : ""}`.replace(
      /(It takes no token\.) It takes no token\./,
      "$1",
    ),
    "",
    ...table("path", params),
    ...table("query", query),
    ...(body ? table("body", body) : []),
    ...table(run.kind === "stream" ? "data of each event" : "answer", response),
  ];
}

/** The properties of an object, those of objects in it too. */
function table(head: string, schema: TSchema): string[] {
  const rows = rowsOf("", schema);
  if (rows.length === 0) return [];
  return [`| ${head} | type | meaning |`, "| --- | --- | --- |", ...rows, ""];
}

function rowsOf(prefix: string, schema: TSchema): string[] {
  const properties = (schema["properties"] ?? {}) as Record<string, TSchema>;
  const required = (schema["required"] ?? []) as string[];
  return Object.entries(properties).flatMap(([name, property]) => {
    const { inner, type } = typeOf(property);
    const optional = required.includes(name) ? "" : ", optional";
    const meaning = property.description ?? inner.description ?? "";
    const below = inner["items"] as TSchema | undefined;
    const path = `${prefix}${name}${below ? "[]" : ""}`;
    return [
      `| \`${path}\` | ${cell(type)}${optional} | ${cell(meaning)} |`,
      ...rowsOf(`${path}.`, below ?? inner),
    ];
  });
}

/** What a value is, and the schema of it where it is not null. */
function typeOf(schema: TSchema): { readonly inner: TSchema; readonly type: string } {
  const some = schema["anyOf"] as TSchema[] | undefined;
  if (some) {
    const [inner] = some;
    return { inner: inner!, type: some.map((each) => typeOf(each).type).join(" or ") };
  }
  if ("const" in schema) return { inner: schema, type: String(schema["const"]) };
  const one = schema["enum"] as string[] | undefined;
  if (one) return { inner: schema, type: one.map((word) => `\`${word}\``).join(", ") };
  const items = schema["items"] as TSchema | undefined;
  if (items) return { inner: schema, type: `list of ${typeOf(items).type}` };
  return { inner: schema, type: String(schema["type"] ?? "anything") };
}

function cell(text: string): string {
  return text.replace(/[|*]/g, "\\$&");
}
