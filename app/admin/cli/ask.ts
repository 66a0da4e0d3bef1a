/**
 * How commands ask the daemon that runs.
 *
 * @module
 */

import type { Command } from "commander";
import type { AdminClient } from "../client.ts";
import { TOKEN_OPTION } from "../options.ts";
import { ASK_OPTION, askAdmin, type AskedPlace } from "./place.ts";
import type { Page } from "../pages.ts";
import { taskOptions } from "../../command.ts";
import { MAX_ADMIN_PAGE } from "../../limits.ts";
import type { OptionTable } from "../../options.ts";
import { STATE_OPTION, stateFolder } from "../../files/state.ts";

/** What every such command can be told. */
export const ASK_OPTIONS = {
  state: STATE_OPTION,
  admin: ASK_OPTION,
  "admin-token-file": TOKEN_OPTION,
} as const satisfies OptionTable;

/** Which daemon is asked. */
export type AskedRole = "server" | "device";

/** Where the API is that a command was told of. */
export function askedPlace(role: AskedRole, command: Command): AskedPlace {
  const { state, admin, "admin-token-file": tokenFile } = taskOptions(ASK_OPTIONS, command);
  return { folder: stateFolder(state, role), admin, tokenFile };
}

/** Asks the daemon of a role; see {@linkcode askAdmin}. */
export function askDaemon<T>(
  role: AskedRole,
  command: Command,
  work: (client: AdminClient) => Promise<T>,
): Promise<T> {
  return askAdmin(askedPlace(role, command), work);
}

/** All entries of a list, page after page. */
export async function* listed<T>(
  client: AdminClient,
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): AsyncGenerator<T, void, void> {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  let cursor: string | null = "";
  while (cursor !== null) {
    const search = new URLSearchParams([...given, ["limit", String(MAX_ADMIN_PAGE)]]);
    if (cursor !== "") search.set("cursor", cursor);
    const page: Page<T> = await client.get<Page<T>>(`${path}?${search}`);
    yield* page.items;
    cursor = page.cursor;
  }
}
