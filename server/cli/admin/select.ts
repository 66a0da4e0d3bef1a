/**
 * Selectors on acts: which devices are meant, and whether so many are.
 *
 * @module
 */

import type { AdminClient } from "../../../app/admin/client.ts";
import { isPattern, selector } from "../../../app/admin/selector.ts";
import { stderr } from "../../../app/output.ts";
import { UnfinishedError } from "../../../app/run.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import type { Device, ServerState } from "../../admin/schemas.ts";
import { NAMES_SHOWN, unknownDevice, V1_HAS_NO_DEVICES } from "../../devices/edits.ts";
import { listed } from "./ask.ts";

export { isPattern };

/** Names that a question shows. */
const SHOWN = 6;

/** Reads a selector. */
export function parseSelector(text: string): string {
  selector(text);
  return text;
}

/** @throws {ConfigError} if no device is meant by a name or a pattern. */
export async function demandMatch(client: AdminClient, text: string): Promise<void> {
  if (!isPattern(text)) return void await client.get(`/v1/devices/${text}`); // which says what there is
  for await (const _device of listed<Device>(client, "/v1/devices", { match: text })) return;
  const names: string[] = [];
  for await (const { name } of listed<Device>(client, "/v1/devices")) if (names.push(name) > NAMES_SHOWN) break;
  if (names.length === 0) {
    const { listeners } = await client.get<ServerState>("/v1/server");
    if (listeners.every(({ profile }) => profile === "v1")) throw new ConfigError(`this server ${V1_HAS_NO_DEVICES}`);
  }
  throw unknownDevice(text, names);
}

/**
 * The names of the devices that are meant: one that is named, whatever its link; of a pattern, those that have one.
 *
 * @throws {ConfigError} if there is none; {UnfinishedError} if none of them has a link.
 */
export async function selectDevices(client: AdminClient, text: string): Promise<string[]> {
  if (!isPattern(text)) return [text];
  const names: string[] = [];
  for await (const { name } of listed<Device>(client, "/v1/devices", { match: text, link: "online" })) names.push(name);
  if (names.length > 0) return names;
  await demandMatch(client, text);
  throw new UnfinishedError(`no device that matches "${text}" is online`);
}

/**
 * Asks back before more than one is touched.
 *
 * @throws {ConfigError} where nobody can be asked, without `yes`; {UnfinishedError} if they are not to be touched.
 */
export function demandConsent(what: string, names: readonly string[], yes: boolean): void {
  if (names.length < 2 || yes) return;
  const shown = [...names.slice(0, SHOWN), ...(names.length > SHOWN ? ["…"] : [])].join(", ");
  const question = `${what}: ${names.length} of them (${shown})`;
  if (!Deno.stdin.isTerminal()) throw new ConfigError(`${question}; say --yes if that is meant`);
  stderr.write(`${question}. Go on? [y/N]`);
  const buffer = new Uint8Array(64);
  const count = Deno.stdin.readSync(buffer) ?? 0;
  const answer = new TextDecoder().decode(buffer.subarray(0, count)).trim().toLowerCase();
  if (answer !== "y" && answer !== "yes") throw new UnfinishedError("nothing was done");
}

/**
 * Does something to each, and says what came of it.
 *
 * @throws {UnfinishedError} if it failed for some of several; what it failed with, if there is one alone.
 */
export async function doToEach<T>(
  names: readonly string[],
  act: (name: string) => Promise<T>,
  done: string | ((result: T) => string),
): Promise<void> {
  let failed = 0;
  for (const name of names) {
    try {
      const result = await act(name);
      stderr.write(`"${name}" ${typeof done === "string" ? done : done(result)}`);
    } catch (error) {
      if (names.length === 1) throw error;
      failed++;
      stderr.write(`"${name}": ${error instanceof Error ? error.message : error}`);
    }
  }
  if (failed > 0) throw new UnfinishedError(`${failed} of ${names.length} failed`);
}
