/**
 * How the commands ask the server that runs.
 *
 * @module
 */

import type { Command } from "commander";
import type { AdminClient } from "../../../app/admin/client.ts";
import { TOKEN_OPTION } from "../../../app/admin/options.ts";
import { ASK_OPTION, askAdmin, type AskedPlace } from "../../../app/admin/place.ts";
import type { Page } from "../../../app/admin/pages.ts";
import { taskOptions } from "../../../app/command.ts";
import { MAX_ADMIN_PAGE } from "../../../app/limits.ts";
import type { OptionTable } from "../../../app/options.ts";
import { STATE_OPTION, stateFolder } from "../../../app/files/state.ts";

/** What every such command can be told. */
export const ASK_OPTIONS = {
  state: STATE_OPTION,
  admin: ASK_OPTION,
  "admin-token-file": TOKEN_OPTION,
} as const satisfies OptionTable;

/** Where the API is that a command was told of. */
export function askedPlace(command: Command): AskedPlace {
  const { state, admin, "admin-token-file": tokenFile } = taskOptions(ASK_OPTIONS, command);
  return { folder: stateFolder(state, "server"), admin, tokenFile };
}

/** Asks the server; see {@linkcode askAdmin}. */
export function ask<T>(command: Command, work: (client: AdminClient) => Promise<T>): Promise<T> {
  return askAdmin(askedPlace(command), work);
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
