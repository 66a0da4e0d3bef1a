/**
 * A server with its admin API, for the tests of its routes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type AdminClient, adminClient, AdminRefusal } from "../../app/admin/client.ts";
import { mistakeIn } from "../../app/admin/schema.ts";
import { AuditFile } from "../../app/audit/audit_file.ts";
import { engineChoice } from "../../tests/rig/engine.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { within } from "../../tests/rig/wait.ts";
import { startServer } from "../server.ts";
import { openV2State } from "../state/state.ts";
import { adminContext, adminRoutes, serveServerAdmin } from "./admin.ts";

/** Routes that have a test of their own. */
export const OPENING_ROUTES = ["listOpenings", "listRefusals", "openService", "closeService", "connectDevice"];

/** A server with its API, and a client of it that holds every answer to the schema of its route. */
export async function served(folder: string) {
  const logger = new RecordingLogger();
  const state = await openV2State(folder, undefined, logger);
  const { handle, core } = startServer({
    engine: engineChoice,
    logger,
    listen: [
      { profile: "v2", address: { host: "127.0.0.1", port: 0 }, security: { kind: "plain" } },
      {
        profile: "v1",
        address: { host: "127.0.0.1", port: 0 },
        forwards: [],
      },
    ],
    v2: state.options,
  });
  const audit = new AuditFile({ path: `${folder}/audit.log`, clock: core.settings.clock, logger });
  const context = adminContext({
    server: handle,
    core,
    state: state.view,
    audit,
    reload: () => Promise.resolve({ changed: ["log-level debug"], restart: [] }),
  });
  await handle.ready;
  await state.announce(handle.addresses.slice(0, 1), "plain");
  const admin = await serveServerAdmin(context, { folder, unix: true, tcp: undefined });
  const plain = adminClient({ socket: admin.socket! });
  const routes = adminRoutes(context);
  const asked = new Set<string>();
  const held = (method: string, path: string, answer: unknown) => {
    const parts = path.split("?")[0]!.split("/");
    const route = routes.find((each) => {
      const pattern = each.path.split("/");
      return each.method === method && pattern.length === parts.length &&
        pattern.every((part, at) => part.startsWith("{") || part === parts[at]);
    });
    assert.ok(route, `${method} ${path}`);
    asked.add(route.id);
    assert.equal(mistakeIn(route.response, answer, route.id), undefined);
    return answer;
  };
  const client: Pick<AdminClient, "get" | "post" | "stream"> = {
    get: async <T>(path: string) => held("GET", path, await plain.get(path)) as T,
    post: async <T>(path: string, body?: unknown) => held("POST", path, await plain.post(path, body)) as T,
    stream: (path, lastId) => plain.stream(path, lastId),
  };
  return {
    handle,
    client,
    socket: admin.socket!,
    routes,
    asked,
    logger,
    async [Symbol.asyncDispose]() {
      plain[Symbol.dispose]();
      await admin.close();
      handle.close();
      await within(handle.closed, "the end of the server");
      await context.outlets.close();
      await state.close();
    },
  };
}

/** Demands that the API says no, with a status and a message. */
export async function refused(act: Promise<unknown>, status: number, pattern: RegExp): Promise<void> {
  await assert.rejects(act, (error: unknown) => {
    assert.ok(error instanceof AdminRefusal, String(error));
    assert.equal(error.status, status, error.message);
    assert.match(error.message, pattern);
    return true;
  });
}
