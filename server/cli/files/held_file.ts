/**
 * Whether the server that runs goes by the file of devices that a command looks at, as it stands.
 *
 * @module
 */

import { counted } from "../../../base/table.ts";
import { resolve } from "node:path";
import type { AuthorizedDevice } from "../../devices/authorized_devices.ts";
import { devicesFile, readFacts } from "../../state/facts.ts";
import type { LiveDevice } from "../../state/live_state.ts";

/** What there is to say if it does not: of a server with the state in `folder` that sees `live`. */
export async function whyNotInForce(
  { folder, file }: { readonly folder: string; readonly file: string },
  devices: readonly AuthorizedDevice[],
  live: ReadonlyMap<string, LiveDevice>,
): Promise<string | undefined> {
  const read = resolve(devicesFile(folder, undefined, await readFacts(folder)));
  if (read !== resolve(file)) return `the server that runs goes by ${read}, and not by ${file}`;
  const known = new Map(devices.map((device) => [device.key, device]));
  const strays = [...live.values()].filter(({ key, online }) => known.get(key)?.disabled ? online : !known.has(key));
  if (strays.length === 0) return undefined;
  return `the server goes on with ${
    counted(strays.length, "device")
  } that ${file} does not let in; if that lasts longer than a moment, ` +
    "it takes the file for a mistake: see its log, or run `confirm` if the file is meant as it is";
}
