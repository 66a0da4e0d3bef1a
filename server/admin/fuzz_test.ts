/**
 * Whatever is asked: the answer is one of those that the document has, and never that something went wrong inside.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { ErrorBody } from "../../app/admin/openapi.ts";
import { mistakeIn, type TSchema } from "../../app/admin/schema.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { served } from "./_served_test.ts";

const WORDS = ["gw1", "gw*", "*", "", "config", "both", "2099-01-31", "ssh=127.0.0.1:0", "0", "-1", "1e9", "__proto__"];

const text = fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: "binary", maxLength: 40 }));

/** Something that may fit a schema, or nearly does, or not at all. */
function around(schema: TSchema): fc.Arbitrary<unknown> {
  const one = schema["enum"] as string[] | undefined;
  const some = schema["anyOf"] as TSchema[] | undefined;
  const fitting = one
    ? fc.constantFrom(...one)
    : some
    ? fc.oneof(...some.map(around))
    : schema["type"] === "object"
    ? fc.record(
      Object.fromEntries(
        Object.entries(schema["properties"] as Record<string, TSchema>).map(([name, each]) => [name, around(each)]),
      ),
      { requiredKeys: [] },
    )
    : schema["type"] === "array"
    ? fc.array(around(schema["items"] as TSchema), { maxLength: 4 })
    : schema["type"] === "string"
    ? text
    : schema["type"] === "boolean"
    ? fc.boolean()
    : fc.oneof(fc.integer(), fc.double());
  return fc.oneof({ arbitrary: fitting, weight: 12 }, { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 1 });
}

folderTest(
  "garbage, and what is nearly right, is answered with what fits the schemas, and with no 500",
  async (folder) => {
    await using server = await served(folder);
    const client = Deno.createHttpClient({ proxy: { transport: "unix", path: server.socket } });
    const routes = server.routes.filter(({ run }) => run.kind === "json");
    const request = fc.constantFrom(...routes).chain((route) =>
      fc.record({
        route: fc.constant(route),
        params: fc.array(text, { minLength: 3, maxLength: 3 }),
        query: around(route.query),
        body: around(route.body ?? route.query),
      })
    );
    try {
      await fc.assert(
        fc.asyncProperty(request, async ({ route, params, query, body }) => {
          let at = 0;
          const path = route.path.replace(/\{\w+\}/g, () => encodeURIComponent(params[at++]!.toWellFormed()));
          const search = new URLSearchParams(
            Object.entries(query !== null && typeof query === "object" ? query : {}).map((
              [name, value],
            ) => [name, typeof value === "string" ? value : JSON.stringify(value) ?? ""]),
          );
          const response = await fetch(`http://localhost${path}?${search}`, {
            client,
            method: route.method,
            ...(route.method === "POST" && {
              headers: { "content-type": "application/json" },
              body: JSON.stringify(body) ?? "",
            }),
          });
          const answer: unknown = await response.json();
          const what = `${route.method} ${path}?${search} ${JSON.stringify(body)}: ${response.status}`;
          assert.notEqual(response.status, 500, what);
          assert.equal(mistakeIn(response.ok ? route.response : ErrorBody, answer, what), undefined);
        }),
        { numRuns: 400 },
      );
    } finally {
      client.close();
    }
  },
);
