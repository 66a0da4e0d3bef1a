/**
 * What is different between two readings of the file of devices.
 *
 * @module
 */

import { DEVICES_A_CHANGE } from "../limits.ts";
import type { Steps } from "../../base/slices.ts";
import type { AuthorizedDevice } from "./entry.ts";
import type { DevicesFound } from "./reader.ts";

/** What a change of the file came to; a device is the same while its key is. */
export interface DevicesChange {
  /** Devices with a new key. */
  readonly added: readonly AuthorizedDevice[];
  /** Devices whose key is gone. */
  readonly removed: readonly AuthorizedDevice[];
  /** Devices with the same key of which anything else is different. */
  readonly changed: readonly { readonly before: AuthorizedDevice; readonly after: AuthorizedDevice }[];
  /** Whether the rules for all are others. */
  readonly defaults?: boolean;
}

/** A device's name, and the one that it has now. */
export type Renamed = readonly [before: string, after: string];

/** Devices that have another name: all at once, as some may have changed names with each other. */
export function renamedIn({ changed }: Pick<DevicesChange, "changed">): Renamed[] {
  return changed.map(({ before, after }) => [before.name, after.name] as const)
    .filter(([before, after]) => before !== after);
}

/** The differences, in pieces. A device that has a new key under its old name is in one piece with that. */
export function* findChanges(before: DevicesFound, after: DevicesFound): Steps<DevicesChange[]> {
  const pieces: DevicesChange[] = [];
  let [added, removed, changed] = nothing();
  const count = () => {
    if (added.length + removed.length + changed.length < DEVICES_A_CHANGE) return;
    pieces.push({ added, removed, changed });
    [added, removed, changed] = nothing();
  };
  for (const device of before.devices) {
    yield;
    const now = after.byKey.get(device.key);
    if (now === device) continue;
    if (!now) {
      removed.push(device);
      const successor = after.byName.get(device.name);
      if (successor && !before.byKey.has(successor.key)) added.push(successor);
    } else if (JSON.stringify(now) !== JSON.stringify(device)) changed.push({ before: device, after: now });
    count();
  }
  for (const device of after.devices) {
    yield;
    if (before.byKey.has(device.key)) continue;
    const predecessor = before.byName.get(device.name);
    if (predecessor && !after.byKey.has(predecessor.key)) continue; // it came with that
    added.push(device);
    count();
  }
  if (added.length + removed.length + changed.length > 0) pieces.push({ added, removed, changed });
  if (JSON.stringify(before.defaults) !== JSON.stringify(after.defaults)) {
    pieces.push({ added: [], removed: [], changed: [], defaults: true });
  }
  return pieces;
}

function nothing(): [AuthorizedDevice[], AuthorizedDevice[], { before: AuthorizedDevice; after: AuthorizedDevice }[]] {
  return [[], [], []];
}
