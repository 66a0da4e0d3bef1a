/**
 * The OpenAPI 3.1 document of an API, from its routes.
 *
 * @module
 */

import { VERSION } from "../../base/version.ts";
import { ERROR_STATUS, type ErrorCode } from "./api_error.ts";
import type { Route } from "./route.ts";
import { closed, type Static, type TObject, type TSchema, Type, words } from "./schema.ts";

/** The body of every answer that is an error. */
export const ErrorBody = closed({
  error: closed({
    code: words(Object.keys(ERROR_STATUS) as ErrorCode[], "For programs."),
    message: Type.String({ description: "For people, one line." }),
    excerpt: Type.Optional(Type.String({
      description: "By the Unix socket, of a mistake in a file: that line of it, and a caret below the place.",
    })),
  }),
}, "What went wrong.");

/** The same, as a type. */
export type ErrorBody = Static<typeof ErrorBody>;

/** The document. */
export function openApiDocument(title: string, routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: "3.1.0",
    info: { title, version: VERSION, license: { name: "MIT", identifier: "MIT" } },
    paths,
    components: {
      schemas: { Error: ErrorBody },
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "By TCP; the Unix socket takes none." },
      },
    },
    security: [{ token: [] }],
  };
}

const FAILURE = { content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } };

function operation(route: Route): Record<string, unknown> {
  const { id, summary, description, params, query, body, response, media, method, open } = route;
  const statuses = ["400", "401", "403", "404", "409", "413", "415", "500", "503"];
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    ...(open && { security: [] }),
    parameters: [...parameters(params, "path"), ...parameters(query, "query")],
    ...(method !== "GET" && {
      requestBody: {
        required: true, // also where `{}` does: its media type keeps pages of others out
        content: { "application/json": { schema: body ?? { type: "object", additionalProperties: false } } },
      },
    }),
    responses: {
      "200": { description: response.description ?? "Done.", content: { [media]: { schema: response } } },
      ...Object.fromEntries(statuses.map((status) => [status, { description: "What went wrong.", ...FAILURE }])),
    },
  };
}

function parameters(object: TObject, place: "path" | "query"): Record<string, unknown>[] {
  return Object.entries(object.properties).map(([name, schema]: [string, TSchema]) => ({
    name,
    in: place,
    required: place === "path" || (object.required ?? []).includes(name),
    ...(schema.description !== undefined && { description: schema.description }),
    schema,
  }));
}
